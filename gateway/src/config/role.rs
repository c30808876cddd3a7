//! What a key may do.

/// From the least to the most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads what is configured; calls no model.
    Viewer,
    /// Calls models; reads nothing of the configuration.
    #[default]
    Member,
    /// Calls models, reads and changes the configuration, and gives out keys below its own role.
    Admin,
    /// The same, keys of any role, and the end of the organisation.
    Owner,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Member, Self::Admin, Self::Owner];

    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

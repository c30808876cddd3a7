//! Who administers, and what they may.

use crate::{
    admission::{Caller, DEFAULT_ORG},
    config::Role,
    refusal::{Cause, Refusal},
};

/// Somebody who has proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// As versions and the audit log have it.
    pub name: String,
    pub organisation: String,
    pub role: Role,
}

/// What somebody wants to do to an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Read,
    Change,
    /// Its end, and keys that may do as much.
    Own,
}

impl Author {
    /// Whoever has the admin token.
    pub fn operator() -> Self {
        Self { name: "admin token".to_owned(), organisation: DEFAULT_ORG.to_owned(), role: Role::Owner }
    }

    pub fn of(caller: &Caller) -> Self {
        Self { name: caller.name.to_string(), organisation: caller.organisation.to_string(), role: caller.role }
    }

    /// Owners and admins of the file's organisation administer every organisation.
    pub fn is_operator(&self) -> bool {
        self.organisation == DEFAULT_ORG && self.role >= Role::Admin
    }

    /// # Errors
    /// 403; whether the organisation exists is not told to strangers.
    pub fn may(&self, wish: Wish, organisation: &str) -> Result<(), Refusal> {
        if self.organisation != organisation && !self.is_operator() {
            let message = "this API key belongs to another organisation";
            return Err(Refusal::new(Cause::Forbidden, message).param("org_id").code("other_organisation"));
        }
        let able = match wish {
            // a member's key is in an application's hands
            Wish::Read => self.role != Role::Member,
            Wish::Change => self.role >= Role::Admin,
            Wish::Own => self.role == Role::Owner,
        };
        if able { Ok(()) } else { Err(weak(self.role)) }
    }

    /// What concerns no single organisation.
    ///
    /// # Errors
    /// 403 for everybody but operators.
    pub fn operates(&self) -> Result<(), Refusal> {
        if self.is_operator() { Ok(()) } else { Err(weak(self.role)) }
    }
}

fn weak(role: Role) -> Refusal {
    let message = format!("a key with the role `{}` may not do this", role.name());
    Refusal::new(Cause::Forbidden, message).code("role_not_allowed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_role_may() {
        let author = |organisation: &str, role| Author { name: String::new(), organisation: organisation.into(), role };
        let may = |author: &Author, wish| author.may(wish, "acme").is_ok();
        for (role, read, change, own) in [
            (Role::Viewer, true, false, false),
            (Role::Member, false, false, false),
            (Role::Admin, true, true, false),
            (Role::Owner, true, true, true),
        ] {
            let at_home = author("acme", role);
            assert_eq!(
                (may(&at_home, Wish::Read), may(&at_home, Wish::Change), may(&at_home, Wish::Own)),
                (read, change, own)
            );
            let stranger = author("other", role);
            assert!(!may(&stranger, Wish::Read) && !may(&stranger, Wish::Own));
            assert!(at_home.operates().is_err());
            let operator = author(DEFAULT_ORG, role);
            assert_eq!(may(&operator, Wish::Change), role >= Role::Admin, "{role:?}");
        }
        assert!(Author::operator().may(Wish::Own, "acme").is_ok());
    }
}

//! The key that wraps every other key: from the environment, from a file, or made at the first start.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

use crate::secret::Secret;

const LENGTH: usize = 32;

/// What tells one master key from another, without saying anything of either.
pub type MasterKeyId = [u8; 8];

/// A master key; its memory is wiped on drop.
#[derive(Clone)]
pub struct MasterKey {
    pub id: MasterKeyId,
    pub(super) bytes: Zeroizing<[u8; LENGTH]>,
}

/// The present master key, and earlier ones that still open what they have sealed.
#[derive(Clone)]
pub struct MasterKeys {
    keys: Vec<MasterKey>,
    source: Source,
}

/// Where master keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Environment,
    File(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("cannot read the master key `{path}`: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write the master key `{path}`: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{place} holds no master key: expected 32 bytes in base64 (`openssl rand -base64 32` makes one)")]
    Unreadable { place: String },
    #[error(
        "the master key is not there: `{path}` is missing, and what the store holds was sealed with it; \
         bring it back, or set PRISM_MASTER_KEY to it"
    )]
    Lost { path: PathBuf },
}

impl MasterKey {
    fn new(bytes: Zeroizing<[u8; LENGTH]>) -> Self {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &*bytes), b"prism master key");
        let mut id = MasterKeyId::default();
        id.copy_from_slice(&tag.as_ref()[..8]);
        Self { id, bytes }
    }

    /// A key that nobody has had before.
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        random(&mut *bytes);
        Self::new(bytes)
    }

    fn read(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        let decoded = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
        (decoded.len() == LENGTH).then(|| bytes.copy_from_slice(&decoded))?;
        Some(Self::new(bytes))
    }

    fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(*self.bytes))
    }
}

impl MasterKeys {
    /// From `PRISM_MASTER_KEY` when it is set (several are separated by commas, the present one first), else from the
    /// file; a file that is not there is made, unless something has been sealed already.
    ///
    /// # Errors
    /// When there is none to be had.
    pub fn load(environment: Option<&Secret>, file: &Path, has_sealed: bool) -> Result<Self, MasterKeyError> {
        if let Some(text) = environment.filter(|text| !text.expose().trim().is_empty()) {
            let keys = text.expose().split(',').map(MasterKey::read).collect::<Option<Vec<_>>>();
            let place = "PRISM_MASTER_KEY".to_owned();
            return keys
                .map(|keys| Self { keys, source: Source::Environment })
                .ok_or(MasterKeyError::Unreadable { place });
        }
        let path = file.to_owned();
        match fs::read_to_string(file).map(Zeroizing::new) {
            Ok(text) => Self::of_file(&text, path),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(MasterKeyError::Read { path, source: error }),
            Err(_) if has_sealed => Err(MasterKeyError::Lost { path }),
            Err(_) => {
                let made = Self { keys: vec![MasterKey::generate()], source: Source::File(path.clone()) };
                made.write()?;
                tracing::warn!(
                    path = %path.display(),
                    "made a master key, which seals the credentials of organisations: keep a copy of it elsewhere"
                );
                Ok(made)
            }
        }
    }

    fn of_file(text: &str, path: PathBuf) -> Result<Self, MasterKeyError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Option<Vec<_>> = lines.map(MasterKey::read).collect();
        let open = fs::metadata(&path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
        if open {
            tracing::warn!(path = %path.display(), "others than its owner can read the master key: chmod it to 600");
        }
        match keys.filter(|keys| !keys.is_empty()) {
            Some(keys) => Ok(Self { keys, source: Source::File(path) }),
            None => Err(MasterKeyError::Unreadable { place: format!("`{}`", path.display()) }),
        }
    }

    /// What seals from now on.
    pub fn present(&self) -> &MasterKey {
        &self.keys[0]
    }

    /// The one that has sealed something.
    pub fn find(&self, id: MasterKeyId) -> Option<&MasterKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// Reads the file again: somebody else may have rotated the key.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn reload(&mut self) -> Result<(), MasterKeyError> {
        let Source::File(path) = &self.source else { return Ok(()) };
        let path = path.clone();
        let text = fs::read_to_string(&path)
            .map(Zeroizing::new)
            .map_err(|source| MasterKeyError::Read { path: path.clone(), source })?;
        *self = Self::of_file(&text, path)?;
        Ok(())
    }

    /// Puts a new key in front, in the file too. `None` when the keys come from the environment, which is its owner's to
    /// change.
    ///
    /// # Errors
    /// When the file cannot be written; then nothing has changed.
    pub fn rotate(&mut self) -> Result<Option<()>, MasterKeyError> {
        if self.source == Source::Environment {
            return Ok(None);
        }
        let mut rotated = self.clone();
        rotated.keys.insert(0, MasterKey::generate());
        rotated.write()?;
        *self = rotated;
        Ok(Some(()))
    }

    /// Forgets the earlier keys, in the file too.
    ///
    /// # Errors
    /// When the file cannot be written; then nothing has changed.
    pub fn forget_earlier(&mut self) -> Result<(), MasterKeyError> {
        let mut alone = self.clone();
        alone.keys.truncate(1);
        alone.write()?;
        *self = alone;
        Ok(())
    }

    /// The file as a whole, or as it was.
    fn write(&self) -> Result<(), MasterKeyError> {
        let Source::File(path) = &self.source else { return Ok(()) };
        let failed = |source| MasterKeyError::Write { path: path.clone(), source };
        let mut beside = path.clone().into_os_string();
        beside.push(".new");
        let _ = fs::remove_file(&beside);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(failed)?;
        for key in &self.keys {
            writeln!(file, "{}", *key.text()).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        fs::rename(&beside, path).map_err(failed)
    }
}

/// From the operating system.
pub(super) fn random(bytes: &mut [u8]) {
    SystemRandom::new().fill(bytes).expect("the operating system gives randomness");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn the_first_start_makes_a_key_for_its_owner_alone_and_the_second_finds_it() {
        let folder = folder();
        let file = folder.path().join("master.key");
        let made = MasterKeys::load(None, &file, false).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(MasterKeys::load(None, &file, true).unwrap().present().id, made.present().id);
    }

    #[test]
    fn a_lost_key_is_not_replaced() {
        let file = folder().path().join("master.key");
        assert!(matches!(MasterKeys::load(None, &file, true), Err(MasterKeyError::Lost { .. })));
        assert!(!file.exists());
    }

    #[test]
    fn the_environment_beats_the_file() {
        let (one, two) = (MasterKey::generate(), MasterKey::generate());
        let text = Secret::new(format!("{},{}", *one.text(), *two.text()));
        let keys = MasterKeys::load(Some(&text), Path::new("/nowhere"), true).unwrap();
        assert_eq!(keys.present().id, one.id);
        assert!(keys.find(two.id).is_some());
        let error = MasterKeys::load(Some(&Secret::new("canary")), Path::new("/nowhere"), false).err().unwrap();
        assert!(!error.to_string().contains("canary"), "{error}");
    }

    #[test]
    fn rotation_keeps_the_earlier_key_until_it_is_forgotten() {
        let folder = folder();
        let file = folder.path().join("master.key");
        let mut keys = MasterKeys::load(None, &file, false).unwrap();
        let mut elsewhere = keys.clone();
        let earlier = keys.present().id;
        keys.rotate().unwrap().unwrap();
        assert_ne!(keys.present().id, earlier);
        elsewhere.reload().unwrap();
        assert_eq!(elsewhere.present().id, keys.present().id);
        assert!(elsewhere.find(earlier).is_some());
        keys.forget_earlier().unwrap();
        elsewhere.reload().unwrap();
        assert!(elsewhere.find(earlier).is_none());
    }
}

//! Which files of an SDK are generated. `.generated` lists them; everything else was written by hand and is not touched.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use crate::trouble::Trouble;

const MANIFEST: &str = ".generated";

/// Generated files by their path below the SDK's folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Everything below a folder.
pub fn read(folder: &Path) -> Result<Files, Trouble> {
    let mut files = Files::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        let entries = fs::read_dir(&at).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        for entry in entries.map_err(|source| Trouble::file("read", &at, source))? {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(name) = path.strip_prefix(folder) {
                let bytes = fs::read(&path).map_err(|source| Trouble::file("read", &path, source))?;
                files.insert(name.to_string_lossy().into_owned(), bytes);
            }
        }
    }
    Ok(files)
}

/// Adds the manifest.
pub fn sealed(mut files: Files) -> Files {
    let manifest: String = files.keys().map(|name| format!("{name}\n")).collect();
    files.insert(MANIFEST.to_owned(), manifest.into_bytes());
    files
}

/// One line for each file that is not as it should be.
pub fn differences(folder: &Path, wanted: &Files) -> Vec<String> {
    let changed = wanted.iter().filter_map(|(name, bytes)| match fs::read(folder.join(name)) {
        Ok(have) => (have != *bytes).then(|| format!("  changed  {name}{}", first_difference(&have, bytes))),
        Err(_) => Some(format!("  missing  {name}")),
    });
    changed.chain(stale(folder, wanted).into_iter().map(|name| format!("  stale    {name}"))).collect()
}

/// Writes what changed and deletes what is no longer generated.
pub fn replace(folder: &Path, wanted: &Files) -> Result<(), Trouble> {
    let (ours, stale) = (listed(folder), stale(folder, wanted)); // the manifest is about to be overwritten
    for (name, bytes) in wanted {
        let path = folder.join(name);
        match fs::read(&path) {
            Ok(have) if have == *bytes => continue,
            Ok(_) if name != MANIFEST && !ours.contains(name) => {
                return Err(Trouble::NotOurs(path.display().to_string()));
            }
            _ => {}
        }
        let parent = path.parent().map(Path::to_owned).unwrap_or_default();
        fs::create_dir_all(&parent).map_err(|source| Trouble::file("create", &parent, source))?;
        fs::write(&path, bytes).map_err(|source| Trouble::file("write", &path, source))?;
    }
    for name in stale {
        let path: PathBuf = folder.join(name);
        fs::remove_file(&path).map_err(|source| Trouble::file("delete", &path, source))?;
    }
    Ok(())
}

fn listed(folder: &Path) -> BTreeSet<String> {
    let manifest = fs::read_to_string(folder.join(MANIFEST)).unwrap_or_default();
    // A manifest that was tampered with deletes nothing outside its folder.
    manifest
        .lines()
        .filter(|name| !name.starts_with('/') && !name.split('/').any(|part| part == ".."))
        .map(str::to_owned)
        .collect()
}

fn stale(folder: &Path, wanted: &Files) -> Vec<String> {
    listed(folder).into_iter().filter(|name| !wanted.contains_key(name) && folder.join(name).exists()).collect()
}

fn first_difference(have: &[u8], wanted: &[u8]) -> String {
    let (have, wanted) = (String::from_utf8_lossy(have), String::from_utf8_lossy(wanted));
    let (mut have, mut wanted) = (have.lines(), wanted.lines());
    for line in 1.. {
        match (have.next(), wanted.next()) {
            (None, None) => break,
            (have, wanted) if have == wanted => {}
            (have, wanted) => {
                let [have, wanted] = [have, wanted].map(|text| text.unwrap_or("(end of file)").trim().to_owned());
                return format!(":{line}\n             is     {have}\n             wanted {wanted}");
            }
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Files {
        sealed(names.iter().map(|name| ((*name).to_owned(), format!("# {name}\n").into_bytes())).collect())
    }

    #[test]
    fn what_is_no_longer_generated_goes_and_what_was_written_by_hand_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine.py"), "by hand").unwrap();
        replace(folder.path(), &files(&["a.py", "deep/b.py"])).unwrap();
        replace(folder.path(), &files(&["a.py"])).unwrap();
        let left: Vec<String> = read(folder.path()).unwrap().into_keys().collect();
        assert_eq!(left, [".generated", "a.py", "mine.py"]);
    }

    #[test]
    fn a_file_written_by_hand_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.py"), "by hand").unwrap();
        assert!(matches!(replace(folder.path(), &files(&["a.py"])), Err(Trouble::NotOurs(_))));
    }

    #[test]
    fn differences_name_the_file_and_the_first_line() {
        let folder = tempfile::tempdir().unwrap();
        replace(folder.path(), &files(&["a.py", "old.py"])).unwrap();
        assert!(differences(folder.path(), &files(&["a.py", "old.py"])).is_empty());
        fs::write(folder.path().join("a.py"), "# changed\n").unwrap();
        let found = differences(folder.path(), &files(&["a.py", "new.py"])).join("\n");
        for part in ["changed  a.py:1", "wanted # a.py", "missing  new.py", "stale    old.py"] {
            assert!(found.contains(part), "{part} is not in\n{found}");
        }
    }

    #[test]
    fn a_manifest_deletes_nothing_outside_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, precious) = (folder.path().join("sdk"), folder.path().join("precious"));
        fs::create_dir(&inner).unwrap();
        fs::write(&precious, "").unwrap();
        fs::write(inner.join(MANIFEST), format!("../precious\n{}\n", precious.display())).unwrap();
        replace(&inner, &files(&["a.py"])).unwrap();
        assert!(precious.exists());
    }
}

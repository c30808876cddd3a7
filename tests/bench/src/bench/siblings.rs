//! Where our own binaries are: beside this one, built with the same profile.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::trouble::{Result, Trouble};

pub struct Siblings {
    pub mock: PathBuf,
    pub load: PathBuf,
    pub floor: PathBuf,
    folder: PathBuf,
}

impl Siblings {
    /// `cargo run --bin bench` builds `bench` alone; the others are then built here, so that one command is enough.
    pub fn find() -> Result<Siblings> {
        let exe = std::env::current_exe().map_err(Trouble::file("cannot tell where this program is"))?;
        let folder = exe.parent().unwrap_or(Path::new(".")).to_path_buf();
        let siblings = Siblings {
            mock: folder.join("mock-upstream"),
            load: folder.join("load"),
            floor: folder.join("floor-proxy"),
            folder,
        };
        if let Ok(cargo) = std::env::var("CARGO") {
            let built = Command::new(cargo).args(siblings.build("prism-bench", &["--bins", "--quiet"])).status();
            built.map_err(|source| Trouble::Start { name: "cargo".into(), source })?;
        }
        for path in [&siblings.mock, &siblings.load, &siblings.floor] {
            if !path.is_file() {
                let build = format!("cargo {}", siblings.build("prism-bench", &["--bins"]).join(" "));
                return Err(Trouble::NoSibling { path: path.clone(), build });
            }
        }
        Ok(siblings)
    }

    /// The gateway that was named, or the one beside us.
    pub fn gateway(&self, named: Option<PathBuf>) -> Result<PathBuf> {
        let path = named.unwrap_or_else(|| self.folder.join("prism"));
        if path.is_file() {
            return path.canonicalize().map_err(Trouble::file(format!("cannot find `{}`", path.display())));
        }
        let build = format!("cargo {}", self.build("prism-gateway", &["--bin", "prism"]).join(" "));
        Err(Trouble::NoGateway { path, build })
    }

    /// Arguments that build a package into the folder we are in: cargo names it after the profile, but for `dev`.
    fn build(&self, package: &str, what: &[&str]) -> Vec<String> {
        let name = self.folder.file_name().map_or("dist".into(), |name| name.to_string_lossy());
        let profile = if name == "debug" { "dev".into() } else { name };
        let target = self.folder.parent().unwrap_or(Path::new("target")).display().to_string();
        let fixed = ["build", "--profile", &profile, "-p", package, "--target-dir", &target];
        fixed.iter().chain(what).map(|word| word.to_string()).collect()
    }
}

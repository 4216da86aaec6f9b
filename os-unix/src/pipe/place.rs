//! Where the sockets of pipes are, and which server holds a name.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::getpid;
use strait_os_base::OsError;
use strait_os_base::pipe::{BindFailure, ConnectFailure};

use super::{os, user};
use crate::directory::{Directory, variable};
use crate::fd;
use crate::fork::Token;
use crate::options::Owner;
use crate::pipe::error::FromErrno as _;

/// Tries before a lock file that comes and goes is given up.
const TRIES: u32 = 16;

/// A name's place: a directory of the serving user, and in it a socket and a lock file.
#[derive(Debug)]
pub(super) struct Place {
    dir: PathBuf,
    name: String,
    public: bool,
}

impl Place {
    /// Where `user` serves `name`. A public directory can be entered by all, but only its user changes
    /// what is in it; a private one is closed.
    pub(super) fn of(name: &str, user: Owner, public: bool) -> Result<Self, OsError> {
        let kind = if public { "public-pipes" } else { "pipes" };
        // Where named regions are too, if the variable says so.
        let base = match variable() {
            Some(chosen) => Directory::chosen(Path::new(&chosen))?.path,
            None => os::base()?,
        };
        Ok(Self { dir: base.join(format!("strait-{kind}-{user}")), name: name.into(), public })
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.dir.join(&self.name)
    }

    /// No pipe's name starts with a dot.
    fn lock_file(&self) -> PathBuf {
        self.dir.join(format!(".{}.lock", self.name))
    }

    /// Makes the directory if it is not there, and refuses one that another user could change.
    pub(super) fn prepare(&self) -> Result<(), BindFailure> {
        match DirBuilder::new().mode(0o700).create(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(BindFailure::io("mkdir", &error));
            }
            _ => {}
        }
        match self.look(user::current()) {
            Looks::Right => {}
            // As the umask made it, or as a server that died in between has left it.
            Looks::Closed => {
                let mode = Permissions::from_mode(self.mode());
                fs::set_permissions(&self.dir, mode).map_err(|error| BindFailure::io("chmod", &error))?;
            }
            _ => return Err(BindFailure::NotPermitted),
        }
        Ok(())
    }

    /// Refuses a directory that another user than `user` could have put something in.
    pub(super) fn check(&self, user: Owner) -> Result<(), ConnectFailure> {
        match self.look(user) {
            Looks::Right => Ok(()),
            Looks::Missing | Looks::Closed => Err(ConnectFailure::NotFound),
            Looks::Wrong => Err(ConnectFailure::WrongUser),
        }
    }

    fn look(&self, user: Owner) -> Looks {
        let Ok(found) = fs::symlink_metadata(&self.dir) else { return Looks::Missing };
        let mode = found.mode() & 0o7777;
        match found.is_dir() && found.uid() == user {
            true if mode == self.mode() => Looks::Right,
            true if mode & !0o700 == 0 => Looks::Closed,
            _ => Looks::Wrong,
        }
    }

    /// The directory's mode.
    fn mode(&self) -> u32 {
        if self.public { 0o711 } else { 0o700 }
    }

    /// Takes the name: the kernel drops the lock with the process, whose forked children do not keep it, so a
    /// name whose server has died is free, and what it left is removed.
    pub(super) fn hold(self) -> Result<Held, BindFailure> {
        let lock = Token::alone(|| self.lock().map(OwnedFd::from))?;
        let socket = self.socket();
        match fs::symlink_metadata(&socket) {
            Ok(found) if found.file_type().is_socket() => {
                fs::remove_file(&socket).map_err(|error| BindFailure::io("unlink", &error))?;
            }
            Ok(_) => {
                let _ = fs::remove_file(self.lock_file());
                return Err(BindFailure::AlreadyExists);
            }
            Err(_) => {}
        }
        Ok(Held { place: self, _lock: lock, pid: getpid().as_raw() })
    }

    fn lock(&self) -> Result<File, BindFailure> {
        let path = self.lock_file();
        for _ in 0..TRIES {
            let file = File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .custom_flags(libc::O_NOFOLLOW)
                .open(&path)
                .and_then(fd::keep)
                .map_err(|error| BindFailure::io("open the lock file", &error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(BindFailure::AlreadyExists),
                Err(TryLockError::Error(error)) => return Err(BindFailure::io("flock", &error)),
            }
            // The last one to hold it removes the file: a lock on a file without a name is nobody's.
            if is_at(&file, &path) {
                return Ok(file);
            }
        }
        Err(BindFailure::AlreadyExists)
    }

    /// Lets every user connect, as far as the directory is public.
    pub(super) fn open_socket(&self) -> Result<(), BindFailure> {
        let mode = if self.public { 0o666 } else { 0o600 };
        fs::set_permissions(self.socket(), Permissions::from_mode(mode))
            .map_err(|error| BindFailure::io("chmod", &error))
    }
}

/// The state of a place's directory.
enum Looks {
    Right,
    Missing,
    /// The user's, and lets in fewer than it should.
    Closed,
    /// Another user's, or open to changes by others, or no directory.
    Wrong,
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(own), Ok(found)) => (own.dev(), own.ino()) == (found.dev(), found.ino()),
        _ => false,
    }
}

/// A name that is held. Dropping it, in the process that took it, removes its files.
#[derive(Debug)]
pub(super) struct Held {
    place: Place,
    _lock: Token,
    pid: i32,
}

impl Held {
    pub(super) fn place(&self) -> &Place {
        &self.place
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if getpid().as_raw() == self.pid {
            // In this order, while the lock is held: its next holder finds neither.
            let _ = fs::remove_file(self.place.socket());
            let _ = fs::remove_file(self.place.lock_file());
        }
    }
}

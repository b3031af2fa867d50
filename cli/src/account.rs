//! Running a command as another user, for root.

use std::io;
use std::process::{Child, Command};

use crate::failure::{Exit, Failure};

/// A user of this machine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    name: String,
    home: String,
    groups: Vec<u32>,
}

impl Account {
    /// The user called `name`.
    ///
    /// # Errors
    /// When there is none, or when we may not become it.
    pub(crate) fn find(name: &str) -> Result<Self, Failure> {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let account = parse(name, &read("/etc/passwd"), &read("/etc/group"));
        let account = account.ok_or_else(|| Failure::new(Exit::Generic, format!("there is no user {name:?}")))?;
        let me = rustix::process::geteuid();
        if !me.is_root() && me.as_raw() != account.uid {
            return Err(Failure::new(Exit::Generic, "only root can run a command as another user"));
        }
        Ok(account)
    }

    /// Adds what a login would set.
    pub(crate) fn set_environment(&self, command: &mut Command) {
        command.env("HOME", &self.home).env("USER", &self.name).env("LOGNAME", &self.name);
    }

    /// Starts `command` as this user.
    ///
    /// # Errors
    /// When it cannot become the user or start the command.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        // Credentials belong to threads; the child has those of the thread that starts it.
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                self.become_it(command)?;
                command.spawn()
            });
            thread.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
        })
    }

    /// Makes this thread, and what it starts, the user's.
    #[cfg(target_os = "linux")]
    pub(crate) fn become_it(&self, _command: &mut Command) -> io::Result<()> {
        use rustix::process::{Gid, Uid};
        use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        if !rustix::process::geteuid().is_root() {
            return Ok(());
        }
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        set_thread_groups(&groups)?;
        set_thread_res_gid(gid, gid, gid)?;
        Ok(set_thread_res_uid(uid, uid, uid)?)
    }

    /// Has the command become the user; without the user's further groups.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn become_it(&self, command: &mut Command) -> io::Result<()> {
        use std::os::unix::process::CommandExt as _;
        command.gid(self.gid).uid(self.uid);
        Ok(())
    }
}

fn parse(name: &str, passwd: &str, group: &str) -> Option<Account> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let home = fields.nth(1)?.to_owned();
    let member = |line: &str| {
        let mut fields = line.split(':').skip(2);
        let id: u32 = fields.next()?.parse().ok()?;
        fields.next()?.split(',').any(|member| member == name).then_some(id)
    };
    let mut groups = vec![gid];
    groups.extend(group.lines().filter_map(member).filter(|id| *id != gid));
    Some(Account { uid, gid, name: name.to_owned(), home, groups })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_with_all_groups() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000:Ann,,,:/home/ann:/bin/sh\n";
        let group = "root:x:0:\nann:x:1000:ann\naudio:x:29:bob,ann\nann2:x:7:anna\n";
        let found = parse("ann", passwd, group).unwrap();
        assert_eq!((found.uid, found.gid, found.home.as_str()), (1000, 1000, "/home/ann"));
        assert_eq!(found.groups, [1000, 29]);
        assert_eq!(parse("an", passwd, group), None);
    }
}

//! Links to a line of a commit, as the forges want them.

use bstr::{BStr, ByteSlice};

use super::fields::lossy;
use crate::finding::{Finding, Place};

/// A forge, by the form of its links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// GitHub and its enterprise servers.
    GitHub,
    /// GitLab, anywhere.
    GitLab,
    /// Azure DevOps.
    AzureDevOps,
    /// Gitea and Forgejo.
    Gitea,
    /// Bitbucket's cloud.
    Bitbucket,
}

impl Platform {
    /// What `--platform` calls it.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "github" => Self::GitHub,
            "gitlab" => Self::GitLab,
            "azuredevops" => Self::AzureDevOps,
            "gitea" => Self::Gitea,
            "bitbucket" => Self::Bitbucket,
            _ => return None,
        })
    }

    fn by_host(host: &str) -> Option<Self> {
        Some(match host {
            "github.com" => Self::GitHub,
            "gitlab.com" => Self::GitLab,
            "dev.azure.com" | "visualstudio.com" => Self::AzureDevOps,
            "gitea.com" | "code.forgejo.org" | "codeberg.org" => Self::Gitea,
            "bitbucket.org" => Self::Bitbucket,
            _ => return None,
        })
    }
}

/// A repository on the web.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    platform: Platform,
    url: String,
}

impl Remote {
    /// From a remote's address (`https://…`, `ssh://…`, `git@host:path`); user name and password are dropped. The
    /// platform is told by the host unless it is given. `None`: not a forge that we know the links of.
    pub fn new(address: &str, platform: Option<Platform>) -> Option<Self> {
        let address = address.trim().strip_suffix(".git").unwrap_or(address.trim());
        let (scheme, host, path) = match address.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) => {
                let (host, path) = rest.split_once('/')?;
                (scheme, after_user(host), path)
            }
            Some(("ssh", rest)) => {
                let (host, path) = rest.split_once('/')?;
                ("https", after_user(host).split(':').next()?, path)
            }
            Some(_) => return None,
            None => {
                let (host, path) = address.split_once(':')?;
                ("https", after_user(host), path)
            }
        };
        if host.is_empty() || format!("{host}{path}").contains(char::is_whitespace) {
            return None;
        }
        let platform = platform.or_else(|| Platform::by_host(host))?;
        Some(Self { platform, url: format!("{scheme}://{host}/{}", path.trim_matches('/')) })
    }

    /// The link to a finding's lines; `None` if it is not of a commit's file.
    pub fn link(&self, finding: &Finding) -> Option<String> {
        let Place::Commit(commit) = &finding.origin.place else { return None };
        let (outer, inner) = split_archive(finding.origin.path.as_bstr());
        let path = lossy(outer).replace('%', "%25").replace(' ', "%20");
        let lines = inner.is_none().then_some((finding.span.start_line, finding.span.end_line));
        let (url, id) = (&self.url, &commit.id);
        let rendered = path.ends_with(".md") || path.ends_with(".ipynb");
        Some(match self.platform {
            Platform::GitHub => {
                let plain = if rendered && lines.is_some() { "?plain=1" } else { "" };
                format!("{url}/blob/{id}/{path}{plain}{}", anchor(lines, "#L", "-L"))
            }
            Platform::GitLab => format!("{url}/blob/{id}/{path}{}", anchor(lines, "#L", "-")),
            Platform::AzureDevOps => format!("{url}/commit/{id}?path=/{path}{}", azure_lines(lines)),
            Platform::Gitea => {
                let plain = if rendered && lines.is_some() { "?display=source" } else { "" };
                format!("{url}/src/commit/{id}/{path}{plain}{}", anchor(lines, "#L", "-L"))
            }
            Platform::Bitbucket => format!("{url}/src/{id}/{path}{}", anchor(lines, "#lines-", ":")),
        })
    }
}

/// What stands after `user:password@`.
fn after_user(host: &str) -> &str {
    host.rsplit('@').next().unwrap_or(host)
}

/// The path of the outermost archive and what is inside it.
fn split_archive(path: &BStr) -> (&BStr, Option<&BStr>) {
    match path.split_once_str("!") {
        Some((outer, inner)) => (outer.as_bstr(), Some(inner.as_bstr())),
        None => (path, None),
    }
}

fn anchor(lines: Option<(usize, usize)>, start: &str, end: &str) -> String {
    match lines {
        Some((first, last)) if first != 0 && first != last => format!("{start}{first}{end}{last}"),
        Some((first, _)) if first != 0 => format!("{start}{first}"),
        _ => String::new(),
    }
}

fn azure_lines(lines: Option<(usize, usize)>) -> String {
    let Some((first, last)) = lines.filter(|(first, _)| *first != 0) else { return String::new() };
    let end = if first == last { String::new() } else { format!("&lineEnd={last}") };
    format!("&line={first}{end}&lineStartColumn=1&lineEndColumn=10000000&type=2&lineStyle=plain&_a=files")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(address: &str) -> Option<String> {
        Remote::new(address, None).map(|remote| remote.url)
    }

    #[test]
    fn addresses_become_pages() {
        let page = Some("https://github.com/o/r".to_owned());
        for address in [
            "git@github.com:o/r.git",
            "https://user:word@github.com/o/r",
            "ssh://git@github.com:22/o/r.git",
            "https://github.com/o/r/\n",
        ] {
            assert_eq!(url(address), page, "{address}");
        }
        for address in ["/srv/r.git", "file:///srv/r", "https://example.com/o/r", "", "git@github.com", "a:b"] {
            assert_eq!(url(address), None, "{address}");
        }
    }
}

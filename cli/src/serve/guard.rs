//! Whom the server lets in.
//!
//! A browser lets any page open a WebSocket to any address, and says in `Origin` which page it is. By a name of its own
//! that suddenly leads to this machine (DNS rebinding) a page can also make itself look like ours; the name is in `Host`.

use std::net::IpAddr;

/// The web application of Foxglove, which is let in beside our own page.
const FOXGLOVE: &str = "https://app.foxglove.dev";

/// The rules.
pub struct Guard {
    /// What a client must know.
    pub token: Option<String>,
    /// Pages that may connect, beside our own.
    pub origins: Vec<String>,
}

/// What a request says of itself.
#[derive(Default)]
pub struct Claims<'a> {
    pub host: Option<&'a str>,
    pub origin: Option<&'a str>,
    /// What is behind the `?` of its target.
    pub query: &'a str,
    /// The field `Authorization`.
    pub authorization: Option<&'a str>,
}

impl Guard {
    /// Checks a request. An error has the status and a line for the user.
    pub fn check(&self, claims: &Claims<'_>) -> Result<(), (u16, String)> {
        let host = claims.host.ok_or((400, "the request names no host".to_owned()))?;
        match &self.token {
            Some(token) if !claims.has_token(token) => {
                return Err((401, "the token is missing or wrong; add ?token=TOKEN to the address".into()));
            }
            // A page elsewhere does not know the token.
            Some(_) => {}
            None if is_local(host) => {}
            None => {
                return Err((
                    403,
                    "this server goes by `localhost` or its IP address; by another name only with --token"
                        .into(),
                ));
            }
        }
        match claims.origin {
            None => Ok(()),
            Some(origin) if self.is_let_in(origin, host) => Ok(()),
            Some(_) => Err((
                403,
                "pages from elsewhere may not connect; `strait serve --origin ADDRESS` lets one in".into(),
            )),
        }
    }

    fn is_let_in(&self, origin: &str, host: &str) -> bool {
        let own = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        own == Some(host) || origin == FOXGLOVE || self.origins.iter().any(|one| one == origin)
    }
}

impl Claims<'_> {
    fn has_token(&self, token: &str) -> bool {
        let in_query = parameter(self.query, "token");
        let in_field = self.authorization.and_then(|field| field.strip_prefix("Bearer "));
        in_query.or(in_field).is_some_and(|given| same(given.as_bytes(), token.as_bytes()))
    }
}

/// A parameter of a query; values with escapes are none that we know.
pub fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|one| one.strip_prefix(name)?.strip_prefix('='))
}

/// Whether two tokens are the same; how long it takes does not depend on where they differ.
fn same(given: &[u8], token: &[u8]) -> bool {
    given.len() == token.len() && given.iter().zip(token).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

/// Whether a host is named as nobody else can be: `localhost`, or an address.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::{Claims, Guard};

    fn status(guard: &Guard, host: &str, origin: Option<&str>, query: &str) -> u16 {
        let claims = Claims { host: Some(host), origin, query, authorization: None };
        guard.check(&claims).err().map_or(200, |(status, _)| status)
    }

    #[test]
    fn pages_from_elsewhere_and_other_names_are_kept_out() {
        let guard = Guard { token: None, origins: vec!["http://dash.example".into()] };
        for (host, origin, expected) in [
            ("localhost:8765", None, 200),
            ("127.0.0.1:8765", None, 200),
            ("[::1]:8765", None, 200),
            ("127.0.0.1", None, 200),
            ("evil.example:8765", None, 403),
            ("localhost.evil.example", None, 403),
            ("127.0.0.1.evil.example:8765", None, 403),
            ("", None, 403),
            ("localhost:8765", Some("http://localhost:8765"), 200),
            ("localhost:8765", Some("http://localhost:9000"), 403),
            ("localhost:8765", Some("https://evil.example"), 403),
            ("localhost:8765", Some("null"), 403),
            ("localhost:8765", Some("https://app.foxglove.dev"), 200),
            ("localhost:8765", Some("https://app.foxglove.dev.evil.example"), 403),
            ("localhost:8765", Some("http://dash.example"), 200),
        ] {
            assert_eq!(status(&guard, host, origin, ""), expected, "{host} {origin:?}");
        }
        assert!(guard.check(&Claims::default()).is_err(), "no host");
    }

    #[test]
    fn with_a_token_its_holder_alone_is_let_in() {
        let guard = Guard { token: Some("0123456789abcdef".into()), origins: Vec::new() };
        for (query, expected) in [
            ("", 401),
            ("token=", 401),
            ("token=0123456789abcdeg", 401),
            ("token=0123456789abcdef0", 401),
            ("tokens=0123456789abcdef", 401),
            ("most=5&token=0123456789abcdef", 200),
        ] {
            assert_eq!(status(&guard, "robot:8765", None, query), expected, "{query}");
        }
        let field = Claims {
            host: Some("robot"),
            authorization: Some("Bearer 0123456789abcdef"),
            ..Claims::default()
        };
        assert!(guard.check(&field).is_ok());
        assert_eq!(status(&guard, "robot", Some("https://evil.example"), "token=0123456789abcdef"), 403);
    }
}

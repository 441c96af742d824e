//! The address of a request: its path in parts, and what is asked for behind the question mark.

use std::str::FromStr;

use percent_encoding::percent_decode_str;

use super::answer::Fault;
use crate::service::PAGE;

/// What stands behind the question mark, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Of `a=1&b=2`; a `+` is a blank.
    pub(super) fn parse(query: &str) -> Result<Self, Fault> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let blank = |text: &str| decoded(&text.replace('+', " "));
            Ok((blank(name)?, blank(value)?))
        });
        pairs.collect::<Result<_, Fault>>().map(Self)
    }

    /// The first value of this name. One that is empty is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| &**value)
            .filter(|value| !value.is_empty())
    }

    /// The value of this name as something else than text.
    pub(super) fn value<T: FromStr>(&self, name: &str) -> Result<Option<T>, Fault> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let parsed = value.parse().map(Some);
        parsed.map_err(|_| Fault::malformed(format!("`{value}` is no value for `{name}`")))
    }

    /// How many are asked for: [`PAGE`] where nothing is said, and never more.
    pub(super) fn limit(&self) -> Result<usize, Fault> {
        Ok(self.value("limit")?.unwrap_or(PAGE).min(PAGE))
    }
}

/// The parts of a path, decoded: `/v1/tasks/a%2Fb` is `v1`, `tasks`, `a/b`.
pub(super) fn parts(path: &str) -> Result<Vec<String>, Fault> {
    path.split('/').skip(1).map(decoded).collect()
}

/// `%20` is a blank. What is no such code stays as it is.
pub(super) fn decoded(text: &str) -> Result<String, Fault> {
    let text = percent_decode_str(text).decode_utf8();
    let wrong = |_| Fault::malformed("the address holds bytes that are no UTF-8");
    text.map(Into::into).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_browsers_write_it() {
        let query = Query::parse("a=1&&b=x%20y+z&c&d=&a=2&e=1%3D2&=3").unwrap();
        assert_eq!(query.get("a"), Some("1"));
        assert_eq!(query.get("b"), Some("x y z"));
        assert_eq!(query.get("e"), Some("1=2"));
        assert!(["c", "d", "f"].iter().all(|name| query.get(name).is_none()));
        assert_eq!(query.value::<u32>("a").unwrap(), Some(1));
        assert_eq!(query.value::<u32>("f").unwrap(), None);
        let error = query.value::<u32>("b").unwrap_err();
        assert!(error.to_string().contains("`x y z` is no value for `b`"));
        assert_eq!(Query::parse("").unwrap(), Query::default());
        assert!(Query::parse("a=%ff").is_err());
    }

    #[test]
    fn a_limit_has_a_bound() {
        let limit = |query| Query::parse(query).unwrap().limit();
        for (query, expected) in [
            ("", PAGE),
            ("limit=7", 7),
            ("limit=0", 0),
            ("limit=9999", PAGE),
        ] {
            assert_eq!(limit(query).unwrap(), expected, "{query}");
        }
        assert!(limit("limit=-1").is_err() && limit("limit=many").is_err());
    }

    #[test]
    fn a_path_is_cut_before_it_is_decoded() {
        let cut = |path| parts(path).unwrap().join("|");
        assert_eq!(cut("/v1/tasks/a%2Fb"), "v1|tasks|a/b");
        assert_eq!(cut("/v1/100%/%zz"), "v1|100%|%zz");
        assert_eq!(cut("/"), "");
        assert_eq!(cut("*"), "");
        assert!(parts("/%c3%28").is_err());
    }
}

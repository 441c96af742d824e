//! The page for a browser: four files within the program. What the page shows and asks for, it shows and
//! asks for as everyone else does, over `/v1`.

use http_body_util::{Either, Full};
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};

use super::answer::Answer;

/// A file of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum File {
    Page,
    Style,
    Script,
    Icon,
}

/// Nothing but these files runs or is shown in the page, wherever a text may come from; and nobody can
/// put the page into one of theirs.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    object-src 'none'";

impl File {
    /// The file at an address of one part.
    pub(super) fn at(name: &str) -> Option<Self> {
        Some(match name {
            "" => Self::Page,
            "page.css" => Self::Style,
            "page.js" => Self::Script,
            "icon.svg" | "favicon.ico" => Self::Icon,
            _ => return None,
        })
    }

    pub(super) fn answer(self) -> Answer {
        let (kind, text) = match self {
            Self::Page => ("text/html; charset=utf-8", include_str!("page/page.html")),
            Self::Style => ("text/css; charset=utf-8", include_str!("page/page.css")),
            Self::Script => (
                "text/javascript; charset=utf-8",
                include_str!("page/page.js"),
            ),
            Self::Icon => ("image/svg+xml", include_str!("page/icon.svg")),
        };
        let mut answer =
            Response::new(Either::Left(Full::new(Bytes::from_static(text.as_bytes()))));
        let about: [(HeaderName, &'static str); 5] = [
            (header::CONTENT_TYPE, kind),
            // Another version of the program has another page.
            (header::CACHE_CONTROL, "no-cache"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        for (name, value) in about {
            answer
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        answer
    }
}

//! The signature of a request: HMAC-SHA256 of its id, its time and its body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::settings::SigningKey;

/// The value of the header `webhook-signature`. The time is that of the try, in seconds since 1970.
pub(super) fn signature(key: &SigningKey, id: &str, time: i64, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.bytes()).expect("a key of any length can be used");
    mac.update(format!("{id}.{time}.").as_bytes());
    mac.update(body);
    let bytes = mac.finalize().into_bytes();
    format!("v1,{}", STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_one_that_receivers_compute() {
        let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", br#"{"test": 2432232314}"#);
        // As the libraries of standardwebhooks.com have it.
        assert_eq!(
            signature(&key, id, 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}

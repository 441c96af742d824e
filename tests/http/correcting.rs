//! A word that is to be said otherwise: into the lexicon, and exactly what it touches is made again.

use aloud::engine::{TaskId, TaskState};
use serde_json::{Value, json};

use super::Served;

/// Six segments; the author says how one word sounds.
const STORY: &str = "The keeper lived in Leith.\n\nNobody in [Oman](/ˈoʊmən/) knew his name.\n\n\
                     He had a boat.\n\nLeith was asleep.\n\nThe lamp went out.\n\nHe lit it again.\n";

fn added(served: &Served, body: &Value) -> TaskId {
    let (status, added) = served.post("/v1/tasks", body);
    assert!((200..300).contains(&status), "{added}");
    added["task_id"].as_str().unwrap().into()
}

fn narrated(served: &Served, body: &Value) -> TaskId {
    let id = added(served, body);
    let status = served.engine.wait(&id).unwrap();
    assert_eq!(status.state, TaskState::Completed, "{:?}", status.error);
    id
}

fn correct(served: &Served, id: &TaskId, correction: &Value) -> (u16, Value) {
    served.post(&format!("/v1/tasks/{id}/correct"), correction)
}

#[track_caller]
fn corrected(served: &Served, id: &TaskId, correction: &Value) -> Value {
    let (status, body) = correct(served, id, correction);
    assert_eq!(status, 200, "{body}");
    body
}

fn new_task(body: &Value) -> TaskId {
    body["task_id"]
        .as_str()
        .unwrap_or_else(|| panic!("{body}"))
        .into()
}

#[test]
fn exactly_what_a_corrected_word_touches_is_made_again() {
    let served = Served::narrating();
    let file = served.home.write("story.md", STORY);
    let old = narrated(&served, &json!({ "file": file }));
    let lexicon = served.home.path("config/lexicon.toml");

    let mut wanted = json!({ "word": "Leith", "said": "Loyth", "segment": 4, "dry_run": true });
    let trial = corrected(&served, &old, &wanted);
    assert_eq!(
        (&trial["segments"], &trial["spoken"], trial.get("task_id")),
        (&json!(2), &json!("Loyth was asleep."), None)
    );
    assert_eq!(trial["lexicon"].as_str(), lexicon.to_str());
    assert!(!lexicon.exists());

    wanted["dry_run"] = false.into();
    let new = new_task(&corrected(&served, &old, &wanted));
    let status = served.engine.wait(&new).unwrap();
    let before = served.engine.task_status(&old).unwrap();
    assert_eq!(status.state, TaskState::Completed);
    assert_eq!(
        (status.completed_segments.len(), &status.folder),
        (6, &before.folder)
    );
    let touched = "The keeper lived in Leith.".len() + "Leith was asleep.".len();
    assert_eq!(status.made.chars, touched as u64);
    let spoken = served.ok(&format!("/v1/tasks/{new}/segments?from=2&limit=1"));
    assert_eq!(spoken["segments"][0]["reading"][0]["words"], "[[ˈoʊmən]]");
    let written = std::fs::read_to_string(&lexicon).unwrap();
    assert_eq!(written, "Leith = \"Loyth\"\n");

    // Whoever narrates the text now finds it narrated.
    let (status, again) = served.post("/v1/tasks", &json!({ "file": file }));
    assert!((200..300).contains(&status), "{again}");
    assert_eq!(again["continued"], true);
    let again = served.engine.wait(&new_task(&again)).unwrap();
    assert_eq!((&again.folder, again.made.chars), (&before.folder, 0));
    // What is said already is not made again, and what no segment has is only remembered.
    // Asked of the first task, whose place another has taken.
    for (id, word) in [(&old, "Leith"), (&new, "Kerr")] {
        let nothing = corrected(&served, id, &json!({ "word": word, "said": "Loyth" }));
        assert_eq!(
            (&nothing["segments"], nothing.get("task_id")),
            (&json!(0), None)
        );
    }
    assert!(
        std::fs::read_to_string(&lexicon)
            .unwrap()
            .contains("Kerr = \"Loyth\"")
    );

    // For this text alone.
    let here = json!({ "word": "boat", "said": "/bˈɑːt/", "only_here": true });
    let here = corrected(&served, &new, &here);
    assert_eq!(here["segments"], 1);
    served.engine.wait(&new_task(&here)).unwrap();
    let own = served.home.path("story.lexicon.toml");
    assert_eq!(
        std::fs::read_to_string(own).unwrap(),
        "boat = \"/bˈɑːt/\"\n"
    );
}

#[test]
fn a_narration_that_is_not_done_is_taken_up_again() {
    let served = Served::narrating();
    let file = served.home.write("story.md", STORY);
    served.engine.pause_queue();
    let old = added(&served, &json!({ "file": file, "priority": "high" }));
    let behind = added(
        &served,
        &json!({ "text": "Another text.", "priority": "high" }),
    );
    let wanted = json!({ "word": "Leith", "said": "Loyth" });
    let new = new_task(&corrected(&served, &old, &wanted));
    let state = |id: &TaskId| served.engine.task_status(id).unwrap();
    assert_eq!(state(&old).state, TaskState::Cancelled);
    assert_eq!(state(&new).folder, state(&old).folder);
    let rank = |id: &TaskId| state(id).rank;
    assert!(rank(&new) < rank(&behind), "it comes first");
    served.engine.resume_queue();
    let done = served.engine.wait(&new).unwrap();
    assert_eq!(
        (done.state, done.completed_segments.len()),
        (TaskState::Completed, 6)
    );
}

#[test]
fn what_holds_a_narration_back_holds_back_what_takes_its_place() {
    let served = Served::narrating();
    let file = served.home.write("story.md", STORY);
    served.engine.pause_queue();
    let paused = added(&served, &json!({ "file": file, "paused": true }));
    let wanted = json!({ "word": "Leith", "said": "Loyth" });
    let new = new_task(&corrected(&served, &paused, &wanted));
    assert!(served.engine.task_status(&new).unwrap().paused);
    // Its end would end what waits for it.
    let after = json!({ "text": "Another text.", "after": [new] });
    let behind = added(&served, &after);
    let wanted = json!({ "word": "boat", "said": "bote" });
    let (status, body) = correct(&served, &new, &wanted);
    assert_eq!(status, 409, "{body}");
    assert!(body.to_string().contains("wait for its end"), "{body}");
    for id in [&new, &behind] {
        let state = served.engine.task_status(id).unwrap().state;
        assert_eq!(state, TaskState::Pending);
    }
    let lexicon = std::fs::read_to_string(served.home.path("config/lexicon.toml")).unwrap();
    assert!(lexicon.contains("boat"), "it is kept: {lexicon}");
}

#[test]
fn a_folder_that_is_gone_is_made_again_and_anothers_is_not_touched() {
    let served = Served::narrating();
    let id = narrated(&served, &json!({ "text": "The keeper lived in Leith." }));
    let folder = served.engine.task_status(&id).unwrap().folder.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let wanted = json!({ "word": "Leith", "said": "Loyth" });
    let new = new_task(&corrected(&served, &id, &wanted));
    let status = served.engine.wait(&new).unwrap();
    assert_eq!(
        (status.state, status.made.chars),
        (TaskState::Completed, 26)
    );
    std::fs::write(folder.join(".aloud"), "{}").unwrap();
    let wanted = json!({ "word": "keeper", "said": "guard" });
    let (status, body) = correct(&served, &new, &wanted);
    assert_eq!(status, 409, "{body}");
    assert!(body.to_string().contains("is another's"), "{body}");
    assert_eq!(
        std::fs::read_to_string(folder.join(".aloud")).unwrap(),
        "{}"
    );
}

#[test]
fn what_is_wrong_with_a_correction_is_told_and_nothing_is_written() {
    let served = Served::narrating();
    let id = narrated(&served, &json!({ "text": "The keeper lived in Leith." }));
    let lexicon = served.home.path("config/lexicon.toml");
    let refused = |id: &TaskId, wanted: Value, status: u16, words: &str| {
        let (told, body) = correct(&served, id, &wanted);
        let message = body["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(told, status, "{wanted}: {body}");
        assert!(message.contains(words), "{wanted}: {body}");
    };
    let said = |word: &str, said: &str| json!({ "word": word, "said": said });
    refused(&"none".into(), said("a", "b"), 404, "no task");
    refused(&id, said("Leith", "  "), 422, "nothing is to be said");
    refused(&id, said("?!", "b"), 422, "must have letters");
    let here = json!({ "word": "Leith", "said": "b", "only_here": true });
    refused(&id, here, 422, "no file");
    refused(&id, json!({ "word": "Leith" }), 400, "said");
    assert!(!lexicon.exists());
    let file = served.home.write("story.md", "Leith was asleep.");
    served
        .home
        .write("story.lexicon.toml", "Leith = \"leeth\"\n");
    let own = narrated(&served, &json!({ "file": file }));
    refused(&own, said("Leith", "b"), 422, "something of its own");
    assert!(!lexicon.exists());
    let broken = "Leith = \n";
    served.home.write("config/lexicon.toml", broken);
    refused(&id, said("Leith", "b"), 422, "lexicon.toml");
    assert_eq!(std::fs::read_to_string(&lexicon).unwrap(), broken);
}

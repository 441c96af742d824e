//! The engine in a program without any async runtime: a task that reports its progress, a thread
//! that reads the events, and a clean end.
//!
//!     cargo run --example engine_plain

use aloud::engine::{Engine, Event, Options, ShutdownWait, Submission, Work};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let engine = Engine::open(Options::new(folder.path()))?;
    let events = engine.subscribe();
    let squares = engine.submit_task(
        Work::closure("squares", |task| {
            let mut squares = Vec::new();
            for n in 1..=5u64 {
                squares.push(n * n);
                task.update_progress(n, 5, None);
                task.set_partial_result(json!(squares));
            }
            Ok(json!(squares))
        }),
        None,
    )?;
    let sum = Work::closure("sum", |_| Ok(json!("after the squares")));
    let last = engine.submit(Submission::new(sum).after([squares.clone()]))?;
    while let Ok(event) = events.recv_blocking() {
        if let (Event::Progress { .. }, Some(status)) = (&event, engine.task_status(&squares)) {
            println!("{}: {} %", status.title, status.progress.percentage());
        }
        if matches!(&event, Event::Ended { task, .. } if *task == last) {
            break;
        }
    }
    println!(
        "{:?}",
        engine
            .task_status(&squares)
            .and_then(|status| status.result)
    );
    println!("{:?}", engine.shutdown(ShutdownWait::Now));
    Ok(())
}

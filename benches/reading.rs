//! What is said for what is written: sentences of plain words, of many rules, and hostile ones of two
//! lengths, whose times must be as far apart as the lengths.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use aloud::text::reading::{Lexicon, Taste, read};

/// Twenty plain words.
const PLAIN: &str = "The keeper climbed the narrow stairs slowly, counting each of them, and \
                     lit the old lamp before the rain came in.";
/// As many, most of which are read otherwise.
const RULES: &str = "On July 4, 1776 Dr. Orr of the U.S. Navy paid $49.95 for 12 km² at 8:05 p.m., \
                     i.e. 3/4 of what King Henry VIII had (see vol. XII, pp. 10-12).";

fn reading(criterion: &mut Criterion) {
    let (taste, none) = (Taste::default(), Lexicon::default());
    let mut words = Lexicon::default();
    for n in 0..10_000 {
        words.add(&format!("word{n}"), "other").unwrap();
    }
    let mut group = criterion.benchmark_group("reading");
    for (name, text, lexicon) in [
        ("plain words", PLAIN, &none),
        ("plain words, a large lexicon", PLAIN, &words),
        ("many rules", RULES, &none),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| read(text, "en-US", &taste, lexicon));
        });
    }
    for (name, bit) in [
        ("digits", "1"),
        ("groups", "1,"),
        ("dashes", "-"),
        ("letters with stops", "U."),
        ("brackets", "[["),
        ("capitals", "WAS "),
        ("quotation marks", "’5"),
    ] {
        for times in [1_000, 10_000] {
            let text = bit.repeat(times);
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_with_input(BenchmarkId::new(name, times), &text, |bencher, text| {
                bencher.iter(|| read(text, "en-US", &taste, &none));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);

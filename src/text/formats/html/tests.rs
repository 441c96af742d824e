//! Pages beside the segments they become.

use proptest::prelude::*;

use super::super::super::{Document, Limits, OmissionReason, SegmentEnd, segment};
use super::super::Format;
use super::Html;

/// Each segment's words; a `/` behind those that a line ends.
fn heard(text: &str) -> Vec<String> {
    let document = Html.parse(text);
    let cut = segment(text, &document, "en", &Limits::default());
    let line = |segment: &crate::text::Segment| match segment.end {
        SegmentEnd::Sentence => format!("{} /", segment.text),
        _ => segment.text.clone(),
    };
    cut.segments.iter().map(line).collect()
}

fn left_out(document: &Document, text: &str, reason: OmissionReason) -> Vec<String> {
    let omissions = document.omissions.iter();
    let named = omissions.filter(|omission| omission.reason == reason);
    named
        .map(|omission| text[omission.span.clone()].to_owned())
        .collect()
}

#[test]
fn pages() {
    let cases: &[(&str, &[&str])] = &[
        (
            "<!DOCTYPE html>\n<html lang=en><head><title>Tea &amp; more</title>\n<style>p { x: 1 }</style>\
             </head><body><h1>On <em>Tea</em></h1>\n<p>Boil it.\n<p>Wait.</body></html>",
            &["On Tea", "Boil it.", "Wait."],
        ),
        (
            "<p><span class=\"cap\">T</span>he lamp<!-- c --> went<wbr>out&nbsp;&#8212; R&D.</p>",
            &["The lamp wentout — R&D."],
        ),
        (
            "<ol start=3><li>Three<li value=7><p>Seven</p><p>More</p></ol><ol reversed><li>x</ol><ul><li>y</ul>",
            &["3. Three", "7. Seven", "More", "x", "y"],
        ),
        (
            "<table><tr><th>Name</th> <th>Age</th></tr><tr><td><p>Ada</p></td><td>36</td></tr>\
             <tr><td><h2>Note</h2><p>One</p><p>Two</p></td></tr></table>",
            &["Name, Age", "Ada, 36", "Note", "One", "Two"],
        ),
        (
            "<address>Anna<br>Pier Road<br/>Town</address><p>One<br><br>Two<br></p><h2>I<br>Rain</h2>",
            &["Anna /", "Pier Road /", "Town", "One", "Two", "I, Rain"],
        ),
        (
            "<details><summary>Read this</summary>Oil.</details><dl><dt>Oil<dd>A liquid</dl>\
             <figure><img src=a.png alt='A red &amp; old boat'><figcaption>The boat</figcaption></figure>",
            &[
                "Read this",
                "Oil.",
                "Oil",
                "A liquid",
                "A red & old boat",
                "The boat",
            ],
        ),
        (
            "<p>Out.<sup>3</sup> In<sup><a href=#n>12</a></sup> 10<sup>2</sup> and 1<sup>st</sup>, H<sub>2</sub>O, \
             3<sup>1</sup>/<sub>2</sub>, SO<sub>4</sub><sup>2-</sup>, see <a href='#n1'>[1]</a>\
             <a epub:type=\"noteref\" href=\"n.xhtml#x\">iv</a>.",
            &["Out. In 10² and 1st, H₂O, 3 1/2, SO₄²⁻, see ."],
        ),
        (
            "<p>a <span hidden>b <span>c</span></span>d <i aria-hidden=true>e</i><b style='display: none'>f</b>g\
             <ruby>漢<rp>(<rt>kan<rp>)</ruby> <svg><title>T</title><text>x</text></svg>\
             <math alttext=\"E = mc\"><mi>E</mi></math></p>",
            &["a d g漢 E = mc"],
        ),
        (
            "<pre><code>let x;</code></pre><p>Use <code>x</code>.</p><script>if (a<b) '<p>no</p>'</script>\
             <hr>End",
            &["Use x.", "End"],
        ),
        // What a browser understands though it is wrong, and what it would swallow.
        (
            "<P CLASS=a>One<b><i>two</b></i> <a href=it's>three</a></P></div><p title='x>y'>Four</td> five",
            &["Onetwo three", "Four five"],
        ),
        ("a < b and <3 </3 x <y", &["a < b and <3 </3 x <y"]),
        ("one <!-- two <p>three", &["one <!-- two", "three"]),
        (
            "Dear <your name>, <b two <p>three</p>",
            &["Dear <your name>, <b two", "three"],
        ),
        (
            "<title>One</x> two<p>three <template>four<p hidden>five</p>",
            &["One two", "three four"],
        ),
        (
            "<p>x <![CDATA[a < b &amp; c]]> y <?php echo $a->b; ?>z",
            &["x a < b &amp; c y z"],
        ),
        ("<p title=\"a>words</p><p>b</p>", &["words", "b"]),
        (
            "<section role=doc-endnotes><ol><li>See x. <a role=doc-backlink href=#r>back</a></ol></section>",
            &["1. See x."],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(&heard(text), expected, "{text}");
    }
}

/// `<pre>` of old pages: what is no code is read as plain text is.
#[test]
fn preformatted_text_is_read_by_its_lines() {
    let cases: &[(&str, &[&str])] = &[
        // A whole book.
        (
            "<html><body><pre>\r\n\r\nTHE TIDE\r\n\r\nCHAPTER I\r\n\r\nThe keeper of the old light, who was \
             deaf,\r\nwalked along the pier &amp; back until the rain\r\nhad ended. Then he slept.\r\n\r\n  \
             * * *\r\n\r\nCHAPTER II\r\n\r\nShe woke.\r\n</pre></body></html>",
            &[
                "THE TIDE",
                "CHAPTER I",
                "The keeper of the old light, who was deaf, walked along the pier & back until the rain had ended. Then he slept.",
                "CHAPTER II",
                "She woke.",
            ],
        ),
        // Verse with tags and entities in it.
        (
            "<p>He sang:</p><blockquote><pre>\n  Roses are <i>red</i>,\n  Violets are blue&mdash;\n  The <b>lamp\n  \
             Is</b> out,\n\n  <a name=x></a>And so are you.</pre></blockquote><p>Then he left.",
            &[
                "He sang:",
                "Roses are red, /",
                "Violets are blue— /",
                "The lamp /",
                "Is out,",
                "And so are you.",
                "Then he left.",
            ],
        ),
        // The marks of a list, a break, an item that is numbered, a table for the layout.
        (
            "<pre>To pack:\n&bull; rope\n- oil<br>1 &lt; 2</pre>",
            &["To pack:", "rope", "oil /", "1 < 2"],
        ),
        (
            "<ol><li><pre>One line\n\nMore</pre><li><pre><code>x</code></pre> Two</ol>",
            &["1. One line", "More", "2. Two"],
        ),
        (
            "<table><tr><td>A</td><td><pre>The lamp is low\nThe tide is slow</pre></td></tr></table>",
            &["A", "The lamp is low /", "The tide is slow"],
        ),
        // Only what stands first has its title in its first line; nobody needs to end it.
        (
            "<p>Words.</p><pre>The Song\n\nLa la.",
            &["Words.", "The Song", "La la."],
        ),
        (
            "<listing>One.\n\nTwo.</listing><pre><pre>Three.</pre>\n\nFour.</pre><h2><pre>I\nRain</pre></h2>",
            &["One.", "Two.", "Three.", "Four.", "I Rain"],
        ),
        (
            "<pre>See the<span class=pagenum>[Pg 3]</span> lamp<sup>2</sup>.</pre>",
            &["See the lamp."],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(&heard(text), expected, "{text}");
    }
    let text = "<pre>THE TIDE\n\nCHAPTER I\n\nIt rained.</pre>";
    let document = Html.parse(text);
    assert_eq!(document.title.as_deref(), Some("THE TIDE"));
    let cut = segment(text, &document, "en", &Limits::default());
    let titles: Vec<_> = cut.chapters.iter().map(|chapter| &*chapter.title).collect();
    assert_eq!(titles, ["THE TIDE", "CHAPTER I"]);
}

#[test]
fn code_is_left_out_as_a_whole() {
    for code in [
        "<pre>let x = <b>1</b>;</pre>",
        "<pre class='language-none'>Words</pre>",
        "<pre class=\"brush: js\">Words</pre>",
        "<div class=\"highlight-default\"><div class=\"highlight\"><pre><span></span>Words</pre></div></div>",
        "<pre><code>Words</code>\n<samp><b>More</b> of it</samp></pre>",
        "<pre>$ ls\nrope</pre>",
        "<xmp><p>One</p></xmp>",
    ] {
        let text = format!("<p>One</p>{code}<p>Two</p>");
        assert_eq!(heard(&text), ["One", "Two"], "{text}");
        let told = left_out(&Html.parse(&text), &text, OmissionReason::Code);
        assert_eq!(told.len(), 1, "{text}: {told:?}");
    }
    assert_eq!(heard("<pre>Type <kbd>x</kbd> now</pre>"), ["Type x now"]);
    // The language of people, a box that is set off, code that never ends.
    for text in [
        "<body class=lang-de><pre>Words</pre></body>",
        "<pre class=poem>Words</pre>",
        "<pre>Words <code>",
        "<pre><code>Words",
    ] {
        assert_eq!(heard(text), ["Words"], "{text}");
    }
}

#[test]
fn numbers_of_printed_pages_are_left_out() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        (
            "<p>He went<span class='pagenum'><a name='Page_12' id='Page_12'>[Pg 12]</a></span> home to\
             <a id=\"Page_13\">13</a> his <span class=\"ws-pagenum\">&#8203;[14]&#8203;</span>house.</p>",
            &["He went home to his house."],
            &["[Pg 12]", "13", "&#8203;[14]&#8203;"],
        ),
        (
            "<p>One.</p><p class=pageno>xii</p><div class=pagebreak><p>13</p></div><p>Two \
             <span epub:type=pagebreak title=14>14</span>three<span role='doc-pagebreak'>15</span></p>",
            &["One.", "Two three"],
            &["xii", "13", "14", "15"],
        ),
        (
            "<h2><span class=pagenum>[Pg 1]</span>Rain</h2><p>[<a name=Page_12>12</a>]</p><ol><li><span class=pagenum>2</span>Oil</ol>",
            &["Rain", "1. Oil"],
            &["[Pg 1]", "12", "2"],
        ),
        // What is no number is no number of a page, whatever marks it.
        (
            "<div class=pagebreak><h2>I</h2></div><h2 class=pagebreak>II</h2><p>It rained.</p><span class=pagenum>He went <b>home.</b></span>\
             <p><a href='#Page_12'>12</a> <span id=part2>2</span> <span>3</span> <a name=Page_9>He is 9</a> <a name=p5>5</a> \
             <a name=Page_6>1920</a></p>\
             <span class=pagenum>7 and all that follows",
            &[
                "I",
                "II",
                "It rained.",
                "He went home.",
                "12 2 3 He is 9 5 1920",
                "7 and all that follows",
            ],
            &[],
        ),
    ];
    for (text, said, numbers) in cases {
        assert_eq!(&heard(text), said, "{text}");
        let left = left_out(&Html.parse(text), text, OmissionReason::PageNumber);
        assert_eq!(&left, numbers, "{text}");
    }
}

#[test]
fn what_is_there_for_other_browsers_is_read_once() {
    let cases: &[(&str, &[&str])] = &[
        (
            "<p>The boat<noscript><img alt='A red boat' src=a.png></noscript> sails.</p>",
            &["The boat A red boat sails."],
        ),
        (
            "<figure><img alt='A boat' data-src=a><noscript><img alt='A boat' src=a></noscript></figure>\
             <noscript><img alt='A lamp' src=b></noscript><img alt='A lamp' data-src=b>",
            &["A boat", "A lamp"],
        ),
        (
            "<noscript>Please enable <b>JavaScript</b> to go on.</noscript><p>One</p>\
             <noscript><p>The tide is at noon.</p></noscript><ul><li><noscript>Does this browser allow scripts?</noscript>Two</ul>",
            &["One", "The tide is at noon.", "Two"],
        ),
        // A request takes its picture back, which is told where it comes again; another is no request.
        (
            "<noscript><img alt='A boat'>Please enable JavaScript.</noscript><img alt='A boat'>\
             <noscript><img alt='Please enable JavaScript'> The tide</noscript>",
            &["A boat Please enable JavaScript The tide"],
        ),
        // Each of two pictures of the same words has its fallback.
        (
            "<img alt=Photo><noscript><img alt=Photo></noscript><br>\
             <img alt=Photo><noscript><img alt=Photo></noscript>",
            &["Photo /", "Photo"],
        ),
        (
            "<html><head><title>T</title></head><frameset cols=2><frame src=a><noframes><body><h1>Tide</h1>\
             <p>All of it.</body></noframes></frameset></html>",
            &["Tide", "All of it."],
        ),
        (
            "<noframes>Your browser does not support frames.</noframes><p>One",
            &["One"],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(&heard(text), expected, "{text}");
    }
    let text = "<noscript>Please turn JavaScript on.</noscript>";
    let told = left_out(&Html.parse(text), text, OmissionReason::Html);
    assert_eq!(told, ["Please turn JavaScript on."]);
}

#[test]
fn a_page_says_what_it_is() {
    let text = "<html xml:lang='de-AT'><head><title> Der\nLeuchtturm </title></head><body><h1>Eins</h1><!-- x -->\
                <p hidden>Zwei</p><script>drei()</script>";
    let document = Html.parse(text);
    assert_eq!(document.title.as_deref(), Some("Der Leuchtturm"));
    assert_eq!(document.language.as_deref(), Some("de-AT"));
    let left = |reason| left_out(&document, text, reason);
    assert_eq!(left(OmissionReason::Hidden), ["Zwei"]);
    assert_eq!(left(OmissionReason::Script), ["drei()"]);
    assert_eq!(left(OmissionReason::Comment), ["<!-- x -->"]);
    let heading = Html.parse("<p>x</p><h2>First</h2>");
    assert_eq!(heading.title.as_deref(), Some("First"));
}

proptest! {
    /// Whatever tags stand between them, in whatever order: all words are heard, and in theirs.
    #[test]
    fn tags_lose_no_word(tags in prop::collection::vec(prop::sample::select(&[
        "<p>", "</p>", "<b>", "</b>", "<div class='a>b'>", "</div>", "<table>", "<tr>", "<td>", "</td>",
        "</table>", "<ul>", "<ol>", "<li>", "</li>", "</ol>", "<h2>", "</h2>", "<br>", "<hr>", "<sup>",
        "</sup>", "<a href=x>", "</a>", "<blockquote>", "</blockquote>", "&nbsp;", "<!-- c -->", "<",
        "<p", "</", "<!", "<head>", "<title>", "<script>", "<svg>", "<p hidden", "<x-y>", "<select>",
        "<pre>", "<noscript>", "</noscript>", "<span class=pagenum>", "</span>", "<noframes>",
        "<div class=pagebreak>", "<listing>", "<a name=Page_1>", "<option>", "</nothing>", "<dl>", "<dd>", "<html>", "<body>", "</body>", "<ruby>", "<rb>", " ",
    ][..]), 0..40)) {
        let mut text = String::new();
        let mut expected = Vec::new();
        for (number, tag) in tags.iter().enumerate() {
            // A `<` without its `>` would take the word for a name.
            let word = format!("wordnumber{number}");
            text.push_str(tag);
            text.push_str(if tag.ends_with('>') || tag.ends_with(';') { "" } else { " " });
            text.push_str(&word);
            text.push(' ');
            expected.push(word);
        }
        let heard = heard(&text).join(" ");
        let mut at = 0;
        for word in expected {
            let found = heard[at..].find(&word);
            prop_assert!(found.is_some(), "{word} of {text}");
            at += found.unwrap_or_default() + word.len();
        }
    }
}

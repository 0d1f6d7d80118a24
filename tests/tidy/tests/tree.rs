//! The rules, asked about the files of this repository.

use std::path::Path;
use std::sync::LazyLock;

use tidy::rules::{arrows, header, length, names, places, pure, reach, sql, waiting};
use tidy::{Complaint, Tree};

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Tree::committed(&top).expect("the tests run in a clone, with git")
});

fn holds(rule: fn(&Tree) -> Vec<Complaint>) {
    let complaints: Vec<String> = rule(&TREE).iter().map(ToString::to_string).collect();
    assert!(
        complaints.is_empty(),
        "{} to mend:\n{}\n",
        complaints.len(),
        complaints.join("\n")
    );
}

#[test]
fn the_tree_is_read() {
    let read: Vec<&str> = TREE.files.iter().map(|file| file.path.as_str()).collect();
    for known in [
        "Cargo.toml",
        "crates/model/src/lib.rs",
        "tests/tidy/tests/tree.rs",
    ] {
        assert!(read.contains(&known), "{known} is missing of {read:?}");
    }
}

macro_rules! rules {
    ($($sentence:ident: $rule:expr,)*) => {
        $(
            #[test]
            fn $sentence() {
                holds($rule);
            }
        )*
    };
}

rules! {
    arrows_point_down: arrows::arrows,
    pure_crates_depend_on_what_they_may: pure::pure_dependencies,
    pure_crates_name_no_io_and_no_unordered_map: pure::pure_words,
    pure_crates_have_the_same_bans: pure::pure_bans,
    every_file_says_what_it_is: header::first_line,
    no_file_is_too_long: length::files,
    no_function_is_too_long_or_takes_too_much: length::functions,
    no_name_says_nothing: names::names,
    no_test_sleeps: waiting::sleeping,
    no_test_is_set_aside: waiting::ignored,
    only_the_store_writes_sql: sql::text,
    only_the_wrapper_begins_a_transaction: sql::begin,
    only_config_reads_the_environment: reach::environment,
    only_outreach_opens_sockets: reach::sockets,
    no_mail_leaves_by_another_session: reach::transports,
    only_server_and_cli_read_clocks: reach::clocks,
    no_path_of_one_machine_is_named: places::paths,
    no_host_of_one_network_is_named: places::hosts,
    nothing_strange_lies_at_the_top: places::top,
}

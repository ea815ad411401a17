//! What leadmill promises, held against the binary itself: each test makes a workspace, runs
//! commands in it and looks at what a user would see (exit code, stdout, stderr, files, views).
//!
//! `LEADMILL_BLESS=1` writes the expected files of `scenarios` and `bad_rules` anew; read the diff.
//! `LEADMILL_KILLS=200` kills more runs in `crash` and, with `LEADMILL_DELIVERIES=10000`, in `outbox_sweep`,
//! `LEADMILL_RECEIVER_KILLS=100` more receivers in `receive_crash`; `LEADMILL_CASES=50` draws more in `sequences`,
//! `promises`, `dealing`, `rescore` and `world_model`, and beside this suite more leads in `scoring`.
//! `LEADMILL_EVERY_CALL=1` meets a run and all other commands that write at every system call in
//! `every_call` and `every_command`, `LEADMILL_ROUNDS=1000` starts twenty runs
//! at once as often in `together`, `LEADMILL_MUTATIONS=100000` changes inputs as often in `mutated`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "what differs is for whoever runs the tests")]
#![expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "the fixtures' names are in lower case"
)]

mod far_end;
mod mail_sink;
mod receiver;
mod small_world;
mod traced;
mod workspace;

mod accounts;
mod activities;
mod alerts;
mod backup;
mod bad_input;
mod bad_rules;
mod browser;
mod canaries;
mod clocks;
mod commands;
mod consent;
mod consent_told;
mod contacts;
mod containers;
mod conversions;
mod crash;
mod csv_spectrum;
mod dealing;
mod dealing_told;
mod docs;
mod doctor;
mod drafts;
mod elapsed;
mod encodings;
mod erasure;
mod evaporation;
mod every_call;
mod every_claim;
mod every_command;
mod facts;
mod faults;
mod flushed;
mod full_disk;
mod hostile;
mod least_data;
mod mails;
mod matching;
mod mending;
mod metrics;
mod metrics_by_sql;
mod migrations;
mod mutated;
mod otherwise;
mod outbox;
mod outbox_sweep;
mod outcomes;
mod outputs;
mod outside;
mod owners;
mod page;
mod page_sample;
mod people;
mod power;
mod promises;
mod reassigning;
mod receive;
mod receive_crash;
mod records;
mod rescore;
mod scenarios;
mod scoring;
mod sequences;
mod small_tables;
mod subject;
mod supply;
mod targets;
mod tasks;
mod tidy;
mod tls;
mod together;
mod touches;
mod undo;
mod values;
mod world_model;

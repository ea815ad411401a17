//! leadmill: exports of leads in, a clean, scored and routed list of leads out.
//!
//! The rooms, in the order a lead walks through them. A room imports only lower floors; rooms on one
//! floor never import each other (`tests/suite/tidy.rs` holds this).
//!
//! | floor | rooms |
//! |---|---|
//! | 0 | [`model`] |
//! | 1 | [`rules`] |
//! | 2 | [`normalization`] [`identity`] [`consent`] [`scoring`] [`routing`] [`followup`] |
//! | 3 | [`intake`] [`store`] [`delivery`] [`sending`] [`report`] |
//! | 4 | [`receiving`] [`pipeline`] |
//! | 5 | [`cli`] |

pub mod model;
pub mod rules;

pub mod consent;
pub mod followup;
pub mod identity;
pub mod normalization;
pub mod routing;
pub mod scoring;

pub mod delivery;
pub mod intake;
pub mod report;
pub mod sending;
pub mod store;

pub mod pipeline;
pub mod receiving;

pub mod cli;

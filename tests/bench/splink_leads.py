"""Splink 5 on a labelled set, as its documentation teaches, for `cargo bench --bench matching`.

usage: splink_leads.py SETTINGS TABLE.csv CLUSTERS.csv COSTS.json

SETTINGS is `leads`, `historical` or `febrl3`. `historical` and `febrl3` are the blocking rules, comparisons and
training steps of Splink's own examples for these sets (docs/demos/examples/duckdb, deduplicate_50k_synthetic and
febrl3). `leads` follows its tutorials: values lower-cased and trimmed, numbers as digits, ready-made comparisons,
term frequencies, and blocking rules enough that hardly a pair escapes them all.

CLUSTERS.csv gets the id and, in a column each, the clusters at match probability 0.95 and at a range of match
weights. COSTS.json gets what was used up to the clusters at 0.95; the other columns are not counted.
"""

import csv
import json
import resource
import sys
import time

STARTED = time.monotonic()

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

DOCUMENTED_THRESHOLD = 0.95
# In bits: 0 is a probability of 0.5, 30 one of 0.999999999.
WEIGHTS = range(0, 31)


def leads(database, table):
    """B2B leads: names, e-mail, phone, company."""
    database.execute(
        """
        CREATE TABLE standardized AS SELECT
            id AS unique_id,
            nullif(lower(trim(first_name)), '') AS first_name,
            nullif(lower(trim(last_name)), '') AS last_name,
            nullif(lower(trim(email)), '') AS email,
            -- Nine digits are a number without its country code in all three countries.
            nullif(right(regexp_replace(phone, '[^0-9]', '', 'g'), 9), '') AS phone,
            nullif(lower(trim(company)), '') AS company,
            nullif(upper(regexp_replace(postcode, '[^0-9A-Za-z]', '', 'g')), '') AS postcode
        FROM read_csv(?, header = true, all_varchar = true)
        """,
        [table],
    )
    settings = dict(
        blocking_rules_to_generate_predictions=[
            block_on("email"),
            block_on("phone"),
            block_on("last_name", "substr(first_name, 1, 1)"),
            block_on("first_name", "company"),
            block_on("first_name", "postcode"),
            block_on("last_name", "company"),
            block_on("substr(last_name, 1, 3)", "postcode"),
        ],
        comparisons=[
            cl.NameComparison("first_name"),
            cl.NameComparison("last_name"),
            cl.EmailComparison("email"),
            cl.LevenshteinAtThresholds("phone", 1).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("company", [0.92, 0.8]).configure(
                term_frequency_adjustments=True
            ),
            # Town and postcode follow from the employer, and Splink wants columns that do not depend on each
            # other: with the postcode compared as well, F1 at 0.95 falls from 0.72 to 0.37 on 10,000 leads.
        ],
    )
    training = dict(
        prior=[
            block_on("first_name", "last_name", "email"),
            block_on("first_name", "last_name", "phone"),
            block_on("first_name", "last_name", "company"),
        ],
        recall=0.6,
        pairs=5e6,
        without_term_frequencies=True,
        sessions=[block_on("first_name", "last_name"), block_on("email"), block_on("phone")],
    )
    return settings, training


def historical(database, table):
    """Historical persons, the example that Splink's documentation works through."""
    database.execute(
        """
        CREATE TABLE standardized AS
        SELECT *, first_name || ' ' || surname AS first_name_surname_concat
        FROM read_csv(?, header = true, all_varchar = true)
        """,
        [table],
    )
    settings = dict(
        blocking_rules_to_generate_predictions=[
            block_on("substr(first_name,1,3)", "substr(surname,1,4)"),
            block_on("surname", "dob"),
            block_on("first_name", "dob"),
            block_on("postcode_fake", "first_name"),
            block_on("postcode_fake", "surname"),
            block_on("dob", "birth_place"),
            block_on("substr(postcode_fake,1,3)", "dob"),
            block_on("substr(postcode_fake,1,3)", "first_name"),
            block_on("substr(postcode_fake,1,3)", "surname"),
            block_on("substr(first_name,1,2)", "substr(surname,1,2)", "substr(dob,1,4)"),
        ],
        comparisons=[
            cl.ForenameSurnameComparison(
                "first_name", "surname", forename_surname_concat_col_name="first_name_surname_concat"
            ),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.PostcodeComparison("postcode_fake"),
            cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
            cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
        ],
    )
    training = dict(
        prior=[
            block_on("first_name", "surname", "dob"),
            block_on("substr(first_name,1,2)", "surname", "substr(postcode_fake,1,2)"),
            block_on("dob", "postcode_fake"),
        ],
        recall=0.6,
        pairs=1e7,
        without_term_frequencies=True,
        sessions=[block_on("first_name", "surname"), block_on("dob")],
    )
    return settings, training


def febrl3(database, table):
    """Febrl's third set, with the settings of Splink's example for it."""
    database.execute(
        """
        CREATE TABLE standardized AS
        SELECT rec_id AS unique_id, * EXCLUDE (rec_id)
        FROM read_csv(?, header = true, all_varchar = true)
        """,
        [table],
    )
    settings = dict(
        blocking_rules_to_generate_predictions=[
            block_on("soc_sec_id"),
            block_on("given_name"),
            block_on("surname"),
            block_on("date_of_birth"),
            block_on("postcode"),
        ],
        comparisons=[
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison(
                "date_of_birth", input_is_string=True, datetime_format="%Y%m%d"
            ),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
        ],
    )
    training = dict(
        prior=[
            block_on("soc_sec_id"),
            block_on("given_name", "surname", "date_of_birth"),
            "l.given_name = r.surname and l.surname = r.given_name "
            "and l.date_of_birth = r.date_of_birth",
        ],
        recall=0.9,
        pairs=1e6,
        without_term_frequencies=False,
        sessions=[block_on("date_of_birth"), block_on("postcode")],
    )
    return settings, training


SETTINGS = {"leads": leads, "historical": historical, "febrl3": febrl3}


def predictions(linker, training):
    """Trains the model and returns the pairs it thinks of as possible."""
    linker.training.estimate_probability_two_random_records_match(
        training["prior"], recall=training["recall"]
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=training["pairs"], seed=1)
    for rule in training["sessions"]:
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=training["without_term_frequencies"]
        )
    return linker.inference.predict(threshold_match_weight=WEIGHTS.start)


def costs():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall_seconds": time.monotonic() - STARTED,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_megabytes": used.ru_maxrss / 1024,
    }


def connected(ids, pairs):
    """Yields the clusters at each weight from the highest down; `pairs` come with the likeliest first."""
    parent = {one: one for one in ids}

    def root(one):
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    at = 0
    for weight in reversed(WEIGHTS):
        while at < len(pairs) and pairs[at][2] >= weight:
            parent[root(pairs[at][0])] = root(pairs[at][1])
            at += 1
        yield weight, [root(one) for one in ids]


def main():
    name, table, clusters_path, costs_path = sys.argv[1:]
    database = duckdb.connect()
    settings, training = SETTINGS[name](database, table)
    settings = SettingsCreator(link_type="dedupe_only", **settings)
    api = DuckDBAPI(connection=database)
    linker = Linker(api.register("standardized"), settings, log_level=None)
    predicted = predictions(linker, training)
    clustered = linker.clustering.cluster_pairwise_predictions_at_threshold(
        predicted, threshold_match_probability=DOCUMENTED_THRESHOLD
    )
    documented = dict(
        clustered.as_duckdbpyrelation().project("unique_id, cluster_id").fetchall()
    )
    with open(costs_path, "w") as file:
        json.dump(costs(), file)

    pairs = (
        predicted.as_duckdbpyrelation()
        .project("unique_id_l, unique_id_r, match_weight")
        .order("match_weight DESC")
        .fetchall()
    )
    ids = list(documented)
    columns = [("probability 0.95", list(documented.values()))]
    columns += [(f"{weight} bits", found) for weight, found in connected(ids, pairs)]
    with open(clusters_path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id"] + [heading for heading, _ in columns])
        writer.writerows(zip(ids, *(found for _, found in columns)))


if __name__ == "__main__":
    main()

"""What somebody who knows SQL would write instead of installing leadmill: the common denominator of its job in DuckDB.

usage: duckdb_job.py EXPORT.csv FOLDER AS_OF

Validates and normalizes e-mail addresses and phones (by regular expressions), reads UTM parameters, joins rows that
share either, scores by 20 rules, routes by 10, keeps submissions, keys, leads and events in a database of its own, and
writes four files. No likeness, no rows as received with their reasons, no ledger, no explanations, no second run.
"""

import os
import sys

import duckdb

export, folder, as_of = sys.argv[1:4]
os.makedirs(folder, exist_ok=True)
path = os.path.join(folder, "store.duckdb")
if os.path.exists(path):
    os.remove(path)
db = duckdb.connect(path)
db.execute("SET preserve_insertion_order = false")
literal = export.replace("'", "''")

db.execute(
    f"""
    CREATE TABLE submission AS
    WITH received AS (
        SELECT *, row_number() OVER () AS row_no
        FROM read_csv('{literal}', header = true, all_varchar = true)
    ),
    once AS (
        SELECT * FROM received QUALIFY row_number() OVER (PARTITION BY submission_id ORDER BY row_no) = 1
    ),
    told AS (
        SELECT *,
            try_cast(submitted_at AS TIMESTAMPTZ) AS sent_at,
            lower(trim(email)) AS mail,
            regexp_replace(phone, '[^0-9+]', '', 'g') AS digits,
            CASE upper(trim(country))
                WHEN 'PL' THEN '48' WHEN 'POLSKA' THEN '48' WHEN 'POLAND' THEN '48'
                WHEN 'DE' THEN '49' WHEN 'DEUTSCHLAND' THEN '49' WHEN 'GERMANY' THEN '49'
                WHEN 'GB' THEN '44' WHEN 'UK' THEN '44' WHEN 'UNITED KINGDOM' THEN '44'
                ELSE '48' END AS prefix
        FROM once
    ),
    normal AS (
        SELECT *,
            CASE WHEN regexp_full_match(mail, '[a-z0-9._%+''-]+@[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z]{{2,}}')
                 THEN mail END AS email_ok,
            CASE WHEN regexp_full_match(digits, '[+][0-9]{{8,15}}') THEN digits
                 WHEN regexp_full_match(digits, '00[0-9]{{8,15}}') THEN '+' || digits[3:]
                 WHEN starts_with(digits, prefix) AND length(digits) BETWEEN 11 AND 13 THEN '+' || digits
                 WHEN regexp_full_match(digits, '0[0-9]{{8,11}}') THEN '+' || prefix || digits[2:]
                 WHEN regexp_full_match(digits, '[1-9][0-9]{{8}}') THEN '+' || prefix || digits
            END AS phone_ok
        FROM told
    )
    SELECT *,
        regexp_extract(landing_page, '[?&]utm_source=([^&]*)', 1) AS utm_source,
        regexp_extract(landing_page, '[?&]utm_medium=([^&]*)', 1) AS utm_medium,
        replace(regexp_extract(landing_page, '[?&]utm_campaign=([^&]*)', 1), '%20', ' ') AS utm_campaign,
        (email_ok IS NOT NULL OR phone_ok IS NOT NULL) AND sent_at IS NOT NULL AS is_valid
    FROM normal
    """
)
db.execute(
    """
    CREATE TABLE key AS
    SELECT hash('m' || email_ok) AS key, row_no FROM submission WHERE is_valid AND email_ok IS NOT NULL
    UNION ALL
    SELECT hash('p' || phone_ok), row_no FROM submission WHERE is_valid AND phone_ok IS NOT NULL
    """
)
# Connected components: every row takes the least number that any row has with which it shares a key, until none changes.
db.execute("CREATE TABLE member AS SELECT DISTINCT row_no, row_no AS lead_no FROM key")
while True:
    db.execute(
        """
        CREATE TABLE next AS
        WITH least AS (SELECT key, min(lead_no) AS lead_no FROM key JOIN member USING (row_no) GROUP BY key)
        SELECT key.row_no, min(least.lead_no) AS lead_no FROM key JOIN least USING (key) GROUP BY key.row_no
        """
    )
    changed = db.execute(
        "SELECT count(*) FROM member JOIN next USING (row_no) WHERE member.lead_no <> next.lead_no"
    ).fetchone()[0]
    db.execute("DROP TABLE member")
    db.execute("ALTER TABLE next RENAME TO member")
    if changed == 0:
        break

latest = ", ".join(
    f"arg_max({column}, sent_at) FILTER (WHERE {column} <> '') AS {column}"
    for column in (
        "first_name last_name email_ok phone_ok company job_title employees country city product message "
        "language utm_source utm_medium utm_campaign consent_marketing_email consent_phone"
    ).split()
)
db.execute(
    f"""
    CREATE TABLE golden AS
    SELECT lead_no, count(*) AS n_submissions, min(sent_at) AS first_at, max(sent_at) AS last_at, {latest}
    FROM member JOIN submission USING (row_no) GROUP BY lead_no
    """
)
RULES = [
    ("job_title ILIKE '%director%' OR job_title ILIKE '%dyrektor%' OR job_title ILIKE '%leiter%'", 15),
    ("job_title ILIKE '%ceo%' OR job_title ILIKE '%prezes%' OR job_title ILIKE '%owner%'", 20),
    ("job_title ILIKE '%manager%' OR job_title ILIKE '%kierownik%'", 10),
    ("job_title ILIKE '%student%' OR job_title ILIKE '%intern%'", -20),
    ("try_cast(regexp_extract(employees, '[0-9]+') AS INTEGER) >= 50", 10),
    ("try_cast(regexp_extract(employees, '[0-9]+') AS INTEGER) >= 250", 5),
    ("product ILIKE '%crm%'", 8),
    ("product ILIKE '%ai%'", 6),
    ("company IS NOT NULL", 5),
    ("country IN ('PL', 'Polska', 'Poland')", 5),
    ("utm_medium = 'cpc'", 6),
    ("utm_source = 'linkedin'", 6),
    ("message ILIKE '%wycen%' OR message ILIKE '%quote%' OR message ILIKE '%angebot%'", 25),
    ("message ILIKE '%demo%' OR message ILIKE '%vorführung%' OR message ILIKE '%prezentac%'", 20),
    ("length(message) > 40", 4),
    ("n_submissions > 1", 8),
    ("n_submissions > 3", 5),
    (f"last_at >= TIMESTAMPTZ '{as_of}' - INTERVAL 7 DAY", 8),
    ("phone_ok IS NOT NULL", 5),
    ("split_part(email_ok, '@', 2) IN ('gmail.com', 'wp.pl', 'o2.pl', 'web.de', 'gmx.de')", -5),
]
ROUTES = [
    ("country IN ('DE', 'Deutschland', 'Germany') AND score >= 50", "dach-hot"),
    ("country IN ('DE', 'Deutschland', 'Germany')", "dach"),
    ("country IN ('GB', 'UK', 'United Kingdom')", "uk"),
    ("score >= 50 AND city ILIKE 'warszawa'", "warsaw-hot"),
    ("score >= 50", "hot"),
    ("city ILIKE 'warszawa' OR city ILIKE 'warsaw'", "warsaw"),
    ("city ILIKE 'krak%'", "south"),
    ("product ILIKE '%support%'", "service"),
    ("language = 'pl'", "pl"),
    ("company IS NOT NULL", "business"),
]
points = " + ".join(f"CASE WHEN {rule} THEN {points} ELSE 0 END" for rule, points in RULES)
routes = " ".join(f"WHEN {rule} THEN '{queue}'" for rule, queue in ROUTES)
db.execute(
    f"""
    CREATE TABLE lead AS
    WITH scored AS (SELECT *, {points} AS score FROM golden)
    SELECT *, CASE WHEN score >= 50 THEN 'hot' WHEN score >= 25 THEN 'warm' ELSE 'cold' END AS segment,
        CASE {routes} ELSE 'triage' END AS queue
    FROM scored
    """
)
db.execute(
    f"""
    CREATE TABLE event AS
    SELECT lead_no, unnest(['scored', 'routed', 'scheduled']) AS step, TIMESTAMPTZ '{as_of}' AS decided_at,
        unnest([score::VARCHAR, queue, segment]) AS detail
    FROM lead
    """
)
FILES = {
    "leads.csv": "SELECT * FROM lead ORDER BY lead_no",
    "crm.csv": "SELECT first_name AS \"First Name\", last_name AS \"Last Name\", email_ok AS Email, phone_ok AS Phone, "
    "company AS Company, job_title AS Title, segment AS Rating, queue AS Owner FROM lead ORDER BY lead_no",
    "tasks.csv": f"SELECT lead_no, 'call' AS task, TIMESTAMPTZ '{as_of}' + INTERVAL 1 DAY AS due, queue, phone_ok "
    "FROM lead WHERE segment <> 'cold' ORDER BY lead_no",
    "quarantine.csv": "SELECT row_no, submission_id, email, phone, 'no usable contact or time' AS reason "
    "FROM submission WHERE NOT is_valid ORDER BY row_no",
}
for name, query in FILES.items():
    target = os.path.join(folder, name).replace("'", "''")
    db.execute(f"COPY ({query}) TO '{target}' (HEADER)")
db.execute("CHECKPOINT")
leads, = db.execute("SELECT count(*) FROM lead").fetchone()
if leads == 0:
    sys.exit("no lead: nothing was measured")
db.close()

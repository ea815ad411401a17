"""The same job as `duckdb_job.py` with pandas, `phonenumbers` and the SQLite of Python's library.

usage: pandas_job.py EXPORT.csv FOLDER AS_OF
"""

import os
import re
import sqlite3
import sys

import numpy as np
import pandas as pd
import phonenumbers

export, folder, as_of = sys.argv[1], sys.argv[2], pd.Timestamp(sys.argv[3])
os.makedirs(folder, exist_ok=True)
REGIONS = {
    "PL": "PL", "POLSKA": "PL", "POLAND": "PL", "DE": "DE", "DEUTSCHLAND": "DE", "GERMANY": "DE", "GB": "GB", "UK": "GB",
    "UNITED KINGDOM": "GB",
}
EMAIL = re.compile(r"[a-z0-9._%+'-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}")


def phone_of(text, region):
    """The number in E.164; none when it cannot be one."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


rows = pd.read_csv(export, dtype=str, keep_default_na=False)
rows["row_no"] = np.arange(1, len(rows) + 1)
rows = rows.drop_duplicates("submission_id", keep="first").reset_index(drop=True)
rows["at"] = pd.to_datetime(rows["submitted_at"], errors="coerce", utc=True, format="ISO8601")
mail = rows["email"].str.strip().str.lower()
rows["email_ok"] = mail.where(mail.str.fullmatch(EMAIL))
region = rows["country"].str.strip().str.upper().map(REGIONS).fillna("PL")
# Each different number once: that is what takes the time.
distinct = pd.DataFrame({"phone": rows["phone"], "region": region}).drop_duplicates()
distinct["phone_ok"] = [
    phone_of(text, of) if text else None for text, of in zip(distinct["phone"], distinct["region"])
]
known = dict(zip(zip(distinct["phone"], distinct["region"]), distinct["phone_ok"]))
rows["phone_ok"] = [known[pair] for pair in zip(rows["phone"], region)]
for name in ("utm_source", "utm_medium", "utm_campaign"):
    value = rows["landing_page"].str.extract(rf"[?&]{name}=([^&]*)", expand=False).fillna("")
    rows[name] = value.str.replace("%20", " ", regex=False)
is_valid = (rows["email_ok"].notna() | rows["phone_ok"].notna()) & rows["at"].notna()
quarantine = rows.loc[~is_valid, ["row_no", "submission_id", "email", "phone"]].copy()
quarantine["reason"] = "no usable contact or time"
valid = rows[is_valid].reset_index(drop=True)

# Connected components by union-find over e-mail and phone.
parent = np.arange(len(valid))


def root(one):
    while parent[one] != one:
        parent[one] = parent[parent[one]]
        one = parent[one]
    return one


keys = []
for prefix, column in (("m", "email_ok"), ("p", "phone_ok")):
    holders = valid[column].dropna()
    keys.append(pd.DataFrame({"key": prefix + holders, "row_no": valid.loc[holders.index, "row_no"]}))
    first = {}
    for at, value in holders.items():
        other = first.setdefault(value, at)
        if other != at:
            a, b = root(at), root(other)
            parent[max(a, b)] = min(a, b)
valid["lead_no"] = valid["row_no"].to_numpy()[[root(one) for one in range(len(valid))]]

LATEST = (
    "first_name last_name email_ok phone_ok company job_title employees country city product message language "
    "utm_source utm_medium utm_campaign consent_marketing_email consent_phone"
).split()
ordered = valid.sort_values("at", kind="stable")
ordered[LATEST] = ordered[LATEST].replace("", None)
groups = ordered.groupby("lead_no", sort=True)
lead = groups[LATEST].last()
lead.insert(0, "n_submissions", groups.size())
lead.insert(1, "first_at", groups["at"].min())
lead.insert(2, "last_at", groups["at"].max())
lead = lead.reset_index()
text = {name: lead[name].fillna("").str.lower() for name in LATEST}
size = pd.to_numeric(lead["employees"].str.extract(r"([0-9]+)", expand=False), errors="coerce").fillna(0)


def has(column, *words):
    return text[column].str.contains("|".join(words), regex=True)


RULES = [
    (has("job_title", "director", "dyrektor", "leiter"), 15),
    (has("job_title", "ceo", "prezes", "owner"), 20),
    (has("job_title", "manager", "kierownik"), 10),
    (has("job_title", "student", "intern"), -20),
    (size >= 50, 10),
    (size >= 250, 5),
    (has("product", "crm"), 8),
    (has("product", "ai"), 6),
    (lead["company"].notna(), 5),
    (lead["country"].isin(["PL", "Polska", "Poland"]), 5),
    (lead["utm_medium"] == "cpc", 6),
    (lead["utm_source"] == "linkedin", 6),
    (has("message", "wycen", "quote", "angebot"), 25),
    (has("message", "demo", "vorführung", "prezentac"), 20),
    (text["message"].str.len() > 40, 4),
    (lead["n_submissions"] > 1, 8),
    (lead["n_submissions"] > 3, 5),
    (lead["last_at"] >= as_of - pd.Timedelta(days=7), 8),
    (lead["phone_ok"].notna(), 5),
    (text["email_ok"].str.split("@").str[-1].isin(["gmail.com", "wp.pl", "o2.pl", "web.de", "gmx.de"]), -5),
]
lead["score"] = sum(rule.astype(int) * points for rule, points in RULES)
lead["segment"] = np.select([lead["score"] >= 50, lead["score"] >= 25], ["hot", "warm"], "cold")
is_german = lead["country"].isin(["DE", "Deutschland", "Germany"])
is_hot = lead["score"] >= 50
ROUTES = [
    (is_german & is_hot, "dach-hot"),
    (is_german, "dach"),
    (lead["country"].isin(["GB", "UK", "United Kingdom"]), "uk"),
    (is_hot & (text["city"] == "warszawa"), "warsaw-hot"),
    (is_hot, "hot"),
    (text["city"].isin(["warszawa", "warsaw"]), "warsaw"),
    (text["city"].str.startswith("krak"), "south"),
    (has("product", "support"), "service"),
    (text["language"] == "pl", "pl"),
    (lead["company"].notna(), "business"),
]
lead["queue"] = np.select([rule for rule, _ in ROUTES], [queue for _, queue in ROUTES], "triage")
event = pd.concat(
    [
        pd.DataFrame({"lead_no": lead["lead_no"], "step": step, "at": as_of.isoformat(), "detail": detail.astype(str)})
        for step, detail in (("scored", lead["score"]), ("routed", lead["queue"]), ("scheduled", lead["segment"]))
    ]
)

path = os.path.join(folder, "store.db")
if os.path.exists(path):
    os.remove(path)
store = sqlite3.connect(path)
store.execute("PRAGMA journal_mode = WAL")
tables = {"submission": rows, "key": pd.concat(keys).sort_values("key"), "lead": lead, "event": event}
for name, table in tables.items():
    times = [column for column in table.columns if pd.api.types.is_datetime64_any_dtype(table[column])]
    plain = table.assign(**{column: table[column].astype(str) for column in times})
    plain.to_sql(name, store, index=False, chunksize=50_000)
store.execute("CREATE INDEX key_by_key ON key (key)")
store.commit()
store.close()

names = {
    "first_name": "First Name", "last_name": "Last Name", "email_ok": "Email", "phone_ok": "Phone", "company": "Company",
    "job_title": "Title", "segment": "Rating", "queue": "Owner",
}
lead.to_csv(os.path.join(folder, "leads.csv"), index=False)
lead[list(names)].rename(columns=names).to_csv(os.path.join(folder, "crm.csv"), index=False)
called = lead[lead["segment"] != "cold"]
tasks = called[["lead_no", "queue", "phone_ok"]].assign(task="call", due=(as_of + pd.Timedelta(days=1)).isoformat())
tasks.to_csv(os.path.join(folder, "tasks.csv"), index=False)
quarantine.to_csv(os.path.join(folder, "quarantine.csv"), index=False)
if lead.empty:
    sys.exit("no lead: nothing was measured")

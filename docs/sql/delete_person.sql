-- Deletes a person's data from the warehouse, and keeps the evidence: the rows of lookups stay.
-- It is one statement: all of it happens, or nothing.
--
--     psql -v addresses='jane.doe@example.com Jane.Doe@example.com' -f delete_person.sql
--
-- Name every spelling, with white space between them.
\set ON_ERROR_STOP on
\if :{?addresses}
\else
    \warn Set the addresses: psql -v addresses="jane.doe@example.com Jane.Doe@example.com" -f delete_person.sql
\endif

WITH list AS (
    SELECT min(entry.place) AS place, rtrim(entry.word, ',') AS email_address
    FROM regexp_split_to_table(:'addresses', '[[:space:]]+') WITH ORDINALITY AS entry (word, place)
    WHERE rtrim(entry.word, ',') <> ''
    GROUP BY rtrim(entry.word, ',')
),

emails_deleted AS (
    DELETE FROM gong_privacy.emails
    WHERE email_address IN (SELECT list.email_address FROM list)
    RETURNING 1
),

calls_deleted AS (
    DELETE FROM gong_privacy.calls
    WHERE email_address IN (SELECT list.email_address FROM list)
    RETURNING 1
),

meetings_deleted AS (
    DELETE FROM gong_privacy.meetings
    WHERE email_address IN (SELECT list.email_address FROM list)
    RETURNING 1
),

customer_data_deleted AS (
    DELETE FROM gong_privacy.customer_data
    WHERE email_address IN (SELECT list.email_address FROM list)
    RETURNING 1
),

customer_engagement_deleted AS (
    DELETE FROM gong_privacy.customer_engagement
    WHERE email_address IN (SELECT list.email_address FROM list)
    RETURNING 1
),

-- These two columns hold data, not evidence: what Gong returned beside the five sections, and its messages, which can
-- quote the address.
lookups_cleared AS (
    UPDATE gong_privacy.lookups
    SET undocumented = NULL, errors = NULL
    WHERE email_address IN (SELECT list.email_address FROM list)
    RETURNING 1
)

SELECT
    (SELECT count(*) FROM emails_deleted) AS emails,
    (SELECT count(*) FROM calls_deleted) AS calls,
    (SELECT count(*) FROM meetings_deleted) AS meetings,
    (SELECT count(*) FROM customer_data_deleted) AS customer_data,
    (SELECT count(*) FROM customer_engagement_deleted) AS customer_engagement,
    (SELECT count(*) FROM lookups_cleared) AS lookups_kept;

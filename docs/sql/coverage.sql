-- Was everyone on the list asked? One row for each address of the list, in the list's order.
--
--     psql -v addresses="$(cat addresses.txt)" -f coverage.sql
--     psql -v addresses="$(cat addresses.txt)" -v since=2026-01-01 -f coverage.sql
--
-- Write the addresses exactly as in the tap's list, with white space between them. With `since`, only look-ups from
-- that time on count; it is read as UTC unless it names an offset.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?addresses}
\else
    \warn Set the addresses: psql -v addresses="jane.doe@example.com john.smith@example.com" -f coverage.sql
\endif
\if :{?since}
\else
    \set since -infinity
\endif

SET timezone = 'UTC';

WITH list AS (
    SELECT min(entry.place) AS place, rtrim(entry.word, ',') AS email_address
    FROM regexp_split_to_table(:'addresses', '[[:space:]]+') WITH ORDINALITY AS entry (word, place)
    WHERE rtrim(entry.word, ',') <> ''
    GROUP BY rtrim(entry.word, ',')
),

counted AS (
    SELECT *
    FROM gong_privacy.lookups
    WHERE looked_up_at >= :'since'::timestamptz
),

latest AS (
    SELECT DISTINCT ON (email_address) *
    FROM counted
    ORDER BY email_address, looked_up_at DESC
),

answered AS (
    SELECT email_address, max(looked_up_at) AS answered_at
    FROM counted
    WHERE status IN ('found', 'not_found')
    GROUP BY email_address
)

SELECT
    row_number() OVER (ORDER BY list.place) AS place,
    list.email_address,
    coalesce(latest.status, 'never asked') AS latest_outcome,
    latest.looked_up_at AS latest_at,
    answered.answered_at,
    latest.api_url,
    latest.attempts,
    latest.http_status,
    latest.errors,
    latest.request_id
FROM list
LEFT JOIN latest USING (email_address)
LEFT JOIN answered USING (email_address)
ORDER BY list.place;

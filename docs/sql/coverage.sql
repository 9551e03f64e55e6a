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

-- A look-up in the future does not count, nor does one that found nothing and whose own row contradicts that.
asked AS (
    SELECT
        *,
        coalesce(
            looked_up_at <= now() + interval '5 minutes'
            AND (
                status IS DISTINCT FROM 'not_found'
                OR (
                    http_status = 200
                    AND emails_count + calls_count + meetings_count
                    + customer_data_count + customer_engagement_count = 0
                    AND nullif(nullif(to_jsonb(undocumented) #>> '{}', 'null'), '{}') IS NULL
                )
            ), FALSE
        ) AS is_sound
    FROM gong_privacy.lookups
    WHERE looked_up_at >= :'since'::timestamptz AND email_address IN (SELECT list.email_address FROM list)
),

latest AS (
    SELECT DISTINCT ON (email_address) *
    FROM asked
    ORDER BY email_address, is_sound DESC, looked_up_at DESC
),

answered AS (
    SELECT email_address, max(looked_up_at) AS answered_at
    FROM asked
    WHERE status IN ('found', 'not_found') AND is_sound
    GROUP BY email_address
)

SELECT
    row_number() OVER (ORDER BY list.place) AS place,
    list.email_address,
    CASE
        WHEN latest.email_address IS NULL THEN 'never asked'
        WHEN NOT latest.is_sound THEN 'no answer'
        WHEN latest.status = 'found' THEN 'data held'
        WHEN latest.status = 'not_found' THEN 'nothing held'
        WHEN latest.status = 'rejected' THEN 'refused'
        WHEN latest.status = 'malformed' THEN 'malformed'
        ELSE 'no answer'
    END AS latest_outcome,
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

-- What does Gong hold about this person? Two results: what the latest look-up of each spelling said, then one row for
-- each reference that the latest answer brought. The second result has no rows for a spelling without an answer.
--
--     psql -v addresses='jane.doe@example.com Jane.Doe@example.com' -f person.sql
--
-- Name every spelling that the person uses, with white space between them.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?addresses}
\else
    \warn Set the addresses: psql -v addresses="jane.doe@example.com Jane.Doe@example.com" -f person.sql
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
    WHERE email_address IN (SELECT list.email_address FROM list)
),

latest AS (
    SELECT DISTINCT ON (email_address) *
    FROM asked
    ORDER BY email_address, is_sound DESC, looked_up_at DESC
),

answered AS (
    SELECT DISTINCT ON (email_address)
        email_address,
        looked_up_at,
        CASE status WHEN 'found' THEN 'data held' ELSE 'nothing held' END AS answer,
        emails_count + calls_count + meetings_count + customer_data_count + customer_engagement_count
            AS references_count
    FROM asked
    WHERE status IN ('found', 'not_found') AND is_sound
    ORDER BY email_address, looked_up_at DESC
)

SELECT
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
    latest.http_status,
    latest.errors,
    latest.request_id,
    latest.api_url,
    -- The answer that the second result shows. It is older than the latest look-up if that one had no answer.
    answered.answer AS shown_answer,
    answered.looked_up_at AS shown_at,
    answered.references_count AS shown_count
FROM list
LEFT JOIN latest USING (email_address)
LEFT JOIN answered USING (email_address)
ORDER BY list.place;

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
    WHERE email_address IN (SELECT list.email_address FROM list)
),

answered AS (
    SELECT DISTINCT ON (email_address) email_address, looked_up_at
    FROM asked
    WHERE status IN ('found', 'not_found') AND is_sound
    ORDER BY email_address, looked_up_at DESC
),

-- Nested values become JSON in the same way with and without flattening, which stores them as text.
held AS (
    SELECT email_address, looked_up_at, 'emails' AS stream, id AS key, sent_time AS happened_at,
        jsonb_build_object('from', "from", 'mailbox', mailbox, 'message_hash', message_hash) AS details,
        to_jsonb(undocumented) #>> '{}' AS undocumented
    FROM gong_privacy.emails
    UNION ALL
    SELECT email_address, looked_up_at, 'calls', id, NULL,
        jsonb_build_object(
            'status', status, 'external_systems', (to_jsonb(external_systems) #>> '{}')::jsonb
        ), to_jsonb(undocumented) #>> '{}'
    FROM gong_privacy.calls
    UNION ALL
    SELECT email_address, looked_up_at, 'meetings', id, NULL, '{}', to_jsonb(undocumented) #>> '{}'
    FROM gong_privacy.meetings
    UNION ALL
    SELECT email_address, looked_up_at, 'customer_data', system, NULL,
        jsonb_build_object('objects', (to_jsonb(objects) #>> '{}')::jsonb), to_jsonb(undocumented) #>> '{}'
    FROM gong_privacy.customer_data
    UNION ALL
    SELECT email_address, looked_up_at, 'customer_engagement', event_hash, "timestamp",
        jsonb_build_object(
            'event_type', event_type, 'content_id', content_id, 'content_url', content_url,
            'reporting_system', reporting_system, 'event_name', event_name, 'source_event_id', source_event_id
        ), to_jsonb(undocumented) #>> '{}'
    FROM gong_privacy.customer_engagement
    UNION ALL
    -- What Gong returned beside the five sections, which its documentation does not list.
    SELECT email_address, looked_up_at, 'lookups', 'undocumented', NULL, '{}', to_jsonb(undocumented) #>> '{}'
    FROM gong_privacy.lookups
    WHERE to_jsonb(undocumented) #>> '{}' IS NOT NULL
)

SELECT held.email_address, held.looked_up_at, held.stream, held.key, held.happened_at, held.details,
    held.undocumented::jsonb AS undocumented
FROM held
INNER JOIN answered USING (email_address, looked_up_at)
INNER JOIN list USING (email_address)
ORDER BY list.place, held.stream, held.happened_at, held.key;

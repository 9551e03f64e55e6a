-- Has the erasure gone through? One row for each spelling: the last answer before it beside the latest answer since.
--
--     psql -v addresses='john.smith@example.com' -v asked_at='2026-01-15 09:00' -f erasure.sql
--
-- Name every spelling, with white space between them, and the time at which the erasure was asked for; it is read as
-- UTC unless it names an offset. person.sql shows row by row what is left.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?addresses}
\else
    \warn Set the addresses: psql -v addresses="john.smith@example.com" -v asked_at="2026-01-15 09:00" -f erasure.sql
\endif
\if :{?asked_at}
\else
    \warn Set the time of the request: psql -v asked_at="2026-01-15 09:00" ...
\endif

SET timezone = 'UTC';

WITH list AS (
    SELECT min(entry.place) AS place, rtrim(entry.word, ',') AS email_address
    FROM regexp_split_to_table(:'addresses', '[[:space:]]+') WITH ORDINALITY AS entry (word, place)
    WHERE rtrim(entry.word, ',') <> ''
    GROUP BY rtrim(entry.word, ',')
),

looked_up AS (
    SELECT
        lookups.email_address,
        lookups.api_url,
        lookups.looked_up_at,
        lookups.looked_up_at > :'asked_at'::timestamptz AS is_after,
        lookups.status,
        lookups.status IN ('found', 'not_found') AS is_answer,
        lookups.request_id,
        lookups.emails_count + lookups.calls_count + lookups.meetings_count
        + lookups.customer_data_count + lookups.customer_engagement_count AS references_count,
        coalesce(', emails: ' || nullif(lookups.emails_count, 0), '')
        || coalesce(', calls: ' || nullif(lookups.calls_count, 0), '')
        || coalesce(', customer_data: ' || nullif(lookups.customer_data_count, 0), '')
        || CASE
            WHEN lookups.status = 'found' AND to_jsonb(lookups.undocumented) #>> '{}' IS NOT NULL THEN ', undocumented'
            ELSE ''
        END AS must_go,
        -- Gong does not say that it erases these two.
        coalesce(', meetings: ' || nullif(lookups.meetings_count, 0), '')
        || coalesce(', customer_engagement: ' || nullif(lookups.customer_engagement_count, 0), '') AS may_stay
    FROM gong_privacy.lookups AS lookups
    INNER JOIN list ON lookups.email_address = list.email_address
),

-- The Gong that the erasure is about: the one that answered last before it, otherwise the one that answered last.
gong AS (
    SELECT DISTINCT ON (email_address) email_address, api_url
    FROM looked_up
    WHERE is_answer
    ORDER BY email_address, is_after, looked_up_at DESC
),

chosen AS (
    SELECT DISTINCT ON (looked_up.email_address, looked_up.is_after) looked_up.*
    FROM looked_up
    INNER JOIN gong ON looked_up.email_address = gong.email_address AND looked_up.api_url = gong.api_url
    WHERE looked_up.is_answer
    ORDER BY looked_up.email_address, looked_up.is_after, looked_up.looked_up_at DESC
),

tried AS (
    SELECT looked_up.email_address, max(looked_up.looked_up_at) AS tried_at
    FROM looked_up
    LEFT JOIN gong ON looked_up.email_address = gong.email_address
    WHERE looked_up.is_after AND (gong.api_url IS NULL OR looked_up.api_url = gong.api_url)
    GROUP BY looked_up.email_address
),

-- Answers of another Gong say nothing about this one.
elsewhere AS (
    SELECT looked_up.email_address, string_agg(DISTINCT looked_up.api_url, ', ') AS api_urls
    FROM looked_up
    INNER JOIN gong ON looked_up.email_address = gong.email_address
    WHERE looked_up.is_answer AND looked_up.api_url <> gong.api_url
    GROUP BY looked_up.email_address
)

SELECT
    list.email_address,
    CASE
        WHEN later.status IS NULL AND tried.tried_at IS NULL THEN 'not looked up since'
        WHEN later.status IS NULL THEN 'looked up since, without an answer'
        WHEN later.must_go = '' AND earlier.must_go <> '' AND later.may_stay <> ''
            THEN 'erased, except for what Gong does not name as erased'
        WHEN later.status = 'found' THEN 'Gong still holds something'
        WHEN earlier.status = 'found' THEN 'erased'
        ELSE 'nothing held, and nothing known from before'
    END AS finding,
    substr(later.must_go || later.may_stay, 3) AS what_is_left,
    gong.api_url,
    earlier.looked_up_at AS before_at,
    earlier.status AS before_status,
    earlier.references_count AS before_count,
    earlier.request_id AS before_request_id,
    later.looked_up_at AS after_at,
    later.status AS after_status,
    later.references_count AS after_count,
    later.request_id AS after_request_id,
    tried.tried_at,
    elsewhere.api_urls AS no_evidence_from
FROM list
LEFT JOIN gong ON list.email_address = gong.email_address
LEFT JOIN chosen AS earlier ON list.email_address = earlier.email_address AND NOT earlier.is_after
LEFT JOIN chosen AS later ON list.email_address = later.email_address AND later.is_after
LEFT JOIN tried ON list.email_address = tried.email_address
LEFT JOIN elsewhere ON list.email_address = elsewhere.email_address
ORDER BY list.place;

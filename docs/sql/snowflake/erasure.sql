-- Has the erasure gone through? One row for each spelling: the last answer before it beside the latest answer since.
--
-- Name every spelling, with white space between them, and the time at which the erasure was asked for, in UTC; an
-- offset would be ignored. Snowflake limits a variable to 256 bytes. If the look-ups name several base URLs, say in
-- `api_urls` which of them are the Gong that is meant. person.sql shows row by row what is left.
SET addresses = 'john.smith@example.com';
SET asked_at = '2026-01-15 09:00:00';
SET api_urls = '';

-- The addresses, each once, in the order in which they are given.
WITH list AS (
    SELECT min(entry.index) AS place, rtrim(entry.value::varchar, ',') AS email_address
    FROM TABLE(flatten(input => split(regexp_replace($addresses, '[[:space:]]+', ' '), ' '))) AS entry
    WHERE rtrim(entry.value::varchar, ',') <> ''
    GROUP BY rtrim(entry.value::varchar, ',')
),

-- The base URLs of the Gong that is meant, if that is said.
meant AS (
    SELECT DISTINCT regexp_replace(lower(entry.value::varchar), '/+$', '') AS api_url
    FROM TABLE(flatten(input => split(regexp_replace($api_urls, '[[:space:]]+', ' '), ' '))) AS entry
    WHERE entry.value::varchar <> ''
),

-- Every look-up of the list. A missing object may be stored as the null of JSON.
stored AS (
    SELECT
        lookups.*,
        nullif(regexp_replace(lower(trim(lookups.api_url)), '/+$', ''), '') AS base_url,
        nullif(to_json(strip_null_value(lookups.undocumented)), '{}') AS content,
        lookups.emails_count + lookups.calls_count + lookups.meetings_count
        + lookups.customer_data_count + lookups.customer_engagement_count AS references_count
    FROM gong_privacy.lookups AS lookups
    INNER JOIN list ON lookups.email_address = list.email_address
),

-- What each of them says. Gong does not say that it erases meetings and engagement events, so these may stay.
looked_up AS (
    SELECT
        stored.*,
        stored.base_url IS NULL OR meant.api_url IS NOT NULL OR (SELECT count(*) FROM meant) = 0 AS is_here,
        stored.looked_up_at <= dateadd(minute, 5, sysdate()) AS is_dated,
        stored.looked_up_at > $asked_at::timestamp_ntz AS is_after,
        coalesce(', emails: ' || nullif(stored.emails_count, 0), '')
        || coalesce(', calls: ' || nullif(stored.calls_count, 0), '')
        || coalesce(', customer_data: ' || nullif(stored.customer_data_count, 0), '')
        || CASE
            WHEN stored.content IS NOT NULL THEN ', undocumented'
            WHEN stored.status = 'found' AND coalesce(stored.references_count, 0) = 0 THEN ', not counted'
            ELSE ''
        END AS must_go,
        coalesce(', meetings: ' || nullif(stored.meetings_count, 0), '')
        || coalesce(', customer_engagement: ' || nullif(stored.customer_engagement_count, 0), '') AS may_stay,
        stored.status
        || '/' || coalesce(stored.emails_count::varchar, '')
        || '/' || coalesce(stored.calls_count::varchar, '')
        || '/' || coalesce(stored.meetings_count::varchar, '')
        || '/' || coalesce(stored.customer_data_count::varchar, '')
        || '/' || coalesce(stored.customer_engagement_count::varchar, '')
        || '/' || coalesce(stored.content, '') AS says
    FROM stored
    LEFT JOIN meant ON stored.base_url = meant.api_url
),

-- What contradicts a look-up within its own row.
judged AS (
    SELECT
        looked_up.*,
        CASE
            WHEN looked_up_at IS NULL THEN 'look-up without a time'
            WHEN NOT is_dated THEN 'look-up in the future'
            WHEN coalesce(status, '') NOT IN ('found', 'not_found', 'rejected', 'failed', 'malformed')
                THEN 'unknown status'
            WHEN status = 'not_found' AND ((must_go || may_stay) <> '' OR http_status <> 200) THEN 'not_found with data'
            WHEN status = 'not_found' AND (references_count IS NULL OR http_status IS NULL)
                THEN 'not_found without counts'
        END AS fault
    FROM looked_up
),

-- Which Gong was asked. If the look-ups name several and nothing says which is meant, none of them counts.
gong AS (
    SELECT
        nullif(listagg(DISTINCT base_url, ', ') WITHIN GROUP (ORDER BY base_url), '') AS api_urls,
        count(DISTINCT base_url) > 1 AND (SELECT count(*) FROM meant) = 0 AS is_unclear
    FROM judged
    WHERE is_here
),

-- Each request of Gong's is about one address. Otherwise something else may have answered in Gong's place.
shared AS (
    SELECT request_id
    FROM gong_privacy.lookups
    WHERE status IN ('found', 'not_found') AND request_id <> ''
    GROUP BY request_id
    HAVING count(DISTINCT email_address) > 1
),

-- The answers, one for each moment. Only a table without a key can hold several of one moment.
answers AS (
    SELECT
        judged.email_address,
        judged.looked_up_at,
        judged.is_after,
        min(judged.status) AS status,
        min(judged.request_id) AS request_id,
        min(judged.references_count) AS references_count,
        min(judged.emails_count) AS emails_count,
        min(judged.calls_count) AS calls_count,
        min(judged.meetings_count) AS meetings_count,
        min(judged.customer_data_count) AS customer_data_count,
        min(judged.customer_engagement_count) AS customer_engagement_count,
        min(judged.must_go) AS must_go,
        min(judged.may_stay) AS may_stay,
        max(judged.fault) AS fault,
        CASE
            WHEN min(judged.says) <> max(judged.says) THEN 'two answers at one time'
            WHEN max(shared.request_id) IS NOT NULL THEN 'shared request id'
        END AS dispute
    FROM judged
    CROSS JOIN gong
    LEFT JOIN shared ON judged.request_id = shared.request_id
    WHERE judged.status IN ('found', 'not_found') AND judged.is_here AND judged.is_dated AND NOT gong.is_unclear
    GROUP BY judged.email_address, judged.looked_up_at, judged.is_after
),

-- The latest answer. One that contradicts itself is passed over; one in dispute voids those before it, too.
latest AS (
    SELECT *
    FROM answers
    WHERE fault IS NULL OR dispute IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY email_address ORDER BY looked_up_at DESC) = 1
),

-- The latest answer from before that held what must go, else the latest that held data, else the latest.
earlier AS (
    SELECT *
    FROM answers
    WHERE fault IS NULL AND dispute IS NULL AND NOT is_after
    -- 'found' comes before 'not_found'.
    QUALIFY row_number() OVER (PARTITION BY email_address ORDER BY must_go = '', status, looked_up_at DESC) = 1
),

-- What the five tables hold. The key tells the rows of one address and stream apart.
rows_of_all AS (
    SELECT email_address, looked_up_at, 'emails' AS stream, id AS key FROM gong_privacy.emails
    UNION ALL
    SELECT email_address, looked_up_at, 'calls', id FROM gong_privacy.calls
    UNION ALL
    SELECT email_address, looked_up_at, 'meetings', id FROM gong_privacy.meetings
    UNION ALL
    SELECT email_address, looked_up_at, 'customer_data', system FROM gong_privacy.customer_data
    UNION ALL
    SELECT email_address, looked_up_at, 'customer_engagement', event_hash FROM gong_privacy.customer_engagement
),

-- How many rows of each moment the five tables hold, each key once, and whether a look-up explains them.
loaded AS (
    SELECT
        rows_of_all.email_address,
        rows_of_all.looked_up_at,
        rows_of_all.stream,
        count(DISTINCT rows_of_all.key) AS loaded,
        count(judged.status) > 0 AS is_explained
    FROM rows_of_all
    INNER JOIN list ON rows_of_all.email_address = list.email_address
    LEFT JOIN judged
        ON rows_of_all.email_address = judged.email_address
        AND rows_of_all.looked_up_at = judged.looked_up_at
        AND judged.status = 'found'
    GROUP BY rows_of_all.email_address, rows_of_all.looked_up_at, rows_of_all.stream
),

-- All that contradicts the look-ups, and when; NULL if that is not known.
contradictions AS (
    SELECT email_address, fault AS contradiction, looked_up_at AS happened_at
    FROM judged
    WHERE fault IS NOT NULL AND is_here
    UNION ALL
    SELECT email_address, dispute, looked_up_at
    FROM answers
    WHERE dispute IS NOT NULL
    UNION ALL
    SELECT email_address, 'rows without a look-up', looked_up_at
    FROM loaded
    WHERE NOT is_explained
    UNION ALL
    SELECT latest.email_address, 'too many rows', latest.looked_up_at
    FROM latest
    INNER JOIN loaded ON latest.email_address = loaded.email_address AND latest.looked_up_at = loaded.looked_up_at
    WHERE latest.dispute IS NULL AND loaded.is_explained AND loaded.loaded > CASE loaded.stream
        WHEN 'emails' THEN latest.emails_count
        WHEN 'calls' THEN latest.calls_count
        WHEN 'meetings' THEN latest.meetings_count
        WHEN 'customer_data' THEN latest.customer_data_count
        WHEN 'customer_engagement' THEN latest.customer_engagement_count
    END
),

-- Whether one of them is at least as new as the latest answer. Then that answer does not prove that data is gone.
doubts AS (
    SELECT
        contradictions.email_address,
        listagg(DISTINCT contradictions.contradiction, ', ')
        WITHIN GROUP (ORDER BY contradictions.contradiction) AS words,
        boolor_agg(contradictions.happened_at IS NULL OR contradictions.happened_at >= latest.looked_up_at) AS are_newer
    FROM contradictions
    LEFT JOIN latest ON contradictions.email_address = latest.email_address
    GROUP BY contradictions.email_address
),

-- Look-ups under other base URLs do not count.
elsewhere AS (
    SELECT email_address, listagg(DISTINCT base_url, ', ') WITHIN GROUP (ORDER BY base_url) AS api_urls
    FROM judged
    WHERE NOT is_here
    GROUP BY email_address
),

-- The latest answer under each of them.
latest_elsewhere AS (
    SELECT *
    FROM judged
    WHERE status IN ('found', 'not_found') AND fault IS NULL AND NOT is_here
    QUALIFY row_number() OVER (PARTITION BY email_address, base_url ORDER BY looked_up_at DESC, status) = 1
),

-- Data that one of these has found since is not erased.
held_elsewhere AS (
    SELECT email_address, max(looked_up_at) AS found_at
    FROM latest_elsewhere
    WHERE status = 'found' AND is_after
    GROUP BY email_address
),

-- When Gong was last asked since, with or without an answer.
tried AS (
    SELECT email_address, max(looked_up_at) AS tried_at
    FROM judged
    WHERE is_here AND is_dated AND is_after
    GROUP BY email_address
)

SELECT
    list.email_address,
    CASE
        WHEN gong.is_unclear THEN 'name the Gong: set api_urls'
        WHEN later.status IS NULL THEN 'not looked up since'
        WHEN
            held_elsewhere.found_at IS NOT NULL
            OR later.must_go <> ''
            -- Meetings and events alone may be what is left of more. If there never was more, nothing was erased.
            OR (later.status = 'found' AND coalesce(earlier.must_go, '') = '')
            THEN CASE
                WHEN coalesce(held_elsewhere.found_at, later.looked_up_at) < dateadd(hour, 24, $asked_at::timestamp_ntz)
                    THEN 'too early to say'
                ELSE 'still held'
            END
        WHEN doubts.are_newer THEN 'not looked up since'
        WHEN later.status = 'found' THEN 'erased, except for what Gong does not name as erased'
        WHEN earlier.status = 'found' THEN 'erased'
        ELSE 'nothing known from before'
    END AS finding,
    substr(later.must_go || later.may_stay, 3) AS what_is_left,
    doubts.words AS contradictions,
    gong.api_urls,
    earlier.looked_up_at AS before_at,
    earlier.status AS before_status,
    earlier.references_count AS before_count,
    earlier.request_id AS before_request_id,
    later.looked_up_at AS after_at,
    floor(datediff(microsecond, $asked_at::timestamp_ntz, later.looked_up_at) / 86400000000)::integer
    || 'd ' || to_char(
        dateadd(microsecond, datediff(microsecond, $asked_at::timestamp_ntz, later.looked_up_at), $asked_at::date),
        'HH24:MI:SS'
    ) AS waited,
    later.status AS after_status,
    later.references_count AS after_count,
    later.request_id AS after_request_id,
    tried.tried_at,
    elsewhere.api_urls AS no_evidence_from
FROM list
CROSS JOIN gong
LEFT JOIN earlier ON list.email_address = earlier.email_address
LEFT JOIN latest AS later ON list.email_address = later.email_address AND later.is_after AND later.dispute IS NULL
LEFT JOIN doubts ON list.email_address = doubts.email_address
LEFT JOIN elsewhere ON list.email_address = elsewhere.email_address
LEFT JOIN held_elsewhere ON list.email_address = held_elsewhere.email_address
LEFT JOIN tried ON list.email_address = tried.email_address
ORDER BY list.place;

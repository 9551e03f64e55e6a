-- What does Gong hold about this person? Two results: what the latest look-up of each spelling said, then one row for
-- each reference that the latest answer brought. The second result has no rows for a spelling without an answer.
--
-- Name every spelling that the person uses, with white space between them; Snowflake limits a variable to 256 bytes.
SET addresses = 'jane.doe@example.com Jane.Doe@example.com';

WITH list AS (
    SELECT min(entry.index) AS place, rtrim(entry.value::varchar, ',') AS email_address
    FROM TABLE(flatten(input => split(regexp_replace($addresses, '[[:space:]]+', ' '), ' '))) AS entry
    WHERE rtrim(entry.value::varchar, ',') <> ''
    GROUP BY rtrim(entry.value::varchar, ',')
),

-- A look-up in the future does not count, nor does one that found nothing and whose own row contradicts that.
asked AS (
    SELECT
        *,
        coalesce(
            looked_up_at <= dateadd(minute, 5, sysdate())
            AND (
                status IS DISTINCT FROM 'not_found'
                OR (
                    http_status = 200
                    AND emails_count + calls_count + meetings_count
                    + customer_data_count + customer_engagement_count = 0
                    AND nullif(to_json(strip_null_value(undocumented)), '{}') IS NULL
                )
            ), FALSE
        ) AS is_sound
    FROM gong_privacy.lookups
    WHERE email_address IN (SELECT list.email_address FROM list)
),

latest AS (
    SELECT *
    FROM asked
    QUALIFY row_number() OVER (PARTITION BY email_address ORDER BY is_sound DESC, looked_up_at DESC) = 1
),

answered AS (
    SELECT
        email_address,
        looked_up_at,
        CASE status WHEN 'found' THEN 'data held' ELSE 'nothing held' END AS answer,
        emails_count + calls_count + meetings_count + customer_data_count + customer_engagement_count
            AS references_count
    FROM asked
    WHERE status IN ('found', 'not_found') AND is_sound
    QUALIFY row_number() OVER (PARTITION BY email_address ORDER BY looked_up_at DESC) = 1
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
    strip_null_value(latest.errors) AS errors,
    latest.request_id,
    latest.api_url,
    -- The answer that the second result shows. It is older than the latest look-up if that one had no answer.
    answered.answer AS shown_answer,
    answered.looked_up_at AS shown_at,
    answered.references_count AS shown_count
FROM list
LEFT JOIN latest ON list.email_address = latest.email_address
LEFT JOIN answered ON list.email_address = answered.email_address
ORDER BY list.place;

WITH list AS (
    SELECT min(entry.index) AS place, rtrim(entry.value::varchar, ',') AS email_address
    FROM TABLE(flatten(input => split(regexp_replace($addresses, '[[:space:]]+', ' '), ' '))) AS entry
    WHERE rtrim(entry.value::varchar, ',') <> ''
    GROUP BY rtrim(entry.value::varchar, ',')
),

-- A look-up in the future does not count, nor does one that found nothing and whose own row contradicts that.
asked AS (
    SELECT
        *,
        coalesce(
            looked_up_at <= dateadd(minute, 5, sysdate())
            AND (
                status IS DISTINCT FROM 'not_found'
                OR (
                    http_status = 200
                    AND emails_count + calls_count + meetings_count
                    + customer_data_count + customer_engagement_count = 0
                    AND nullif(to_json(strip_null_value(undocumented)), '{}') IS NULL
                )
            ), FALSE
        ) AS is_sound
    FROM gong_privacy.lookups
    WHERE email_address IN (SELECT list.email_address FROM list)
),

answered AS (
    SELECT email_address, looked_up_at
    FROM asked
    WHERE status IN ('found', 'not_found') AND is_sound
    QUALIFY row_number() OVER (PARTITION BY email_address ORDER BY looked_up_at DESC) = 1
),

held AS (
    SELECT email_address, looked_up_at, 'emails' AS stream, id AS key, sent_time AS happened_at,
        object_construct_keep_null('from', "FROM", 'mailbox', mailbox, 'message_hash', message_hash) AS details,
        undocumented
    FROM gong_privacy.emails
    UNION ALL
    SELECT email_address, looked_up_at, 'calls', id, NULL,
        object_construct_keep_null('status', status, 'external_systems', external_systems), undocumented
    FROM gong_privacy.calls
    UNION ALL
    SELECT email_address, looked_up_at, 'meetings', id, NULL, object_construct(), undocumented
    FROM gong_privacy.meetings
    UNION ALL
    SELECT email_address, looked_up_at, 'customer_data', system, NULL,
        object_construct_keep_null('objects', objects), undocumented
    FROM gong_privacy.customer_data
    UNION ALL
    SELECT email_address, looked_up_at, 'customer_engagement', event_hash, timestamp,
        object_construct_keep_null(
            'event_type', event_type, 'content_id', content_id, 'content_url', content_url,
            'reporting_system', reporting_system, 'event_name', event_name, 'source_event_id', source_event_id
        ), undocumented
    FROM gong_privacy.customer_engagement
    UNION ALL
    -- What Gong returned beside the five sections, which its documentation does not list.
    SELECT email_address, looked_up_at, 'lookups', 'undocumented', NULL, object_construct(), undocumented
    FROM gong_privacy.lookups
    WHERE strip_null_value(undocumented) IS NOT NULL
)

SELECT held.email_address, held.looked_up_at, held.stream, held.key, held.happened_at, held.details,
    strip_null_value(held.undocumented) AS undocumented
FROM held
INNER JOIN answered ON held.email_address = answered.email_address AND held.looked_up_at = answered.looked_up_at
INNER JOIN list ON held.email_address = list.email_address
ORDER BY list.place, held.stream, held.happened_at, held.key;

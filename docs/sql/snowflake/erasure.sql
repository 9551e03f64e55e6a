-- Has the erasure gone through? The last answer before it beside the latest answer after it.
-- Change the address and the time at which the erasure was asked for (UTC).
-- What is left, if anything is, person.sql shows row by row.
WITH erasure AS (
    SELECT 'john.smith@example.com' AS email_address, '2026-01-15 09:00:00'::timestamp_ntz AS asked_at
),

answers AS (
    SELECT
        lookups.email_address,
        lookups.looked_up_at,
        lookups.looked_up_at > erasure.asked_at AS is_after,
        lookups.status,
        lookups.request_id,
        lookups.emails_count + lookups.calls_count + lookups.meetings_count
        + lookups.customer_data_count + lookups.customer_engagement_count AS references_count,
        array_to_string(
            array_construct_compact(
                'emails: ' || nullif(lookups.emails_count, 0),
                'calls: ' || nullif(lookups.calls_count, 0),
                'meetings: ' || nullif(lookups.meetings_count, 0),
                'customer_data: ' || nullif(lookups.customer_data_count, 0),
                'customer_engagement: ' || nullif(lookups.customer_engagement_count, 0),
                CASE WHEN lookups.status = 'found' AND typeof(lookups.undocumented) = 'OBJECT' THEN 'undocumented' END
            ),
            ', '
        ) AS held
    FROM gong_privacy.lookups AS lookups
    INNER JOIN erasure ON lookups.email_address = erasure.email_address
    WHERE lookups.status IN ('found', 'not_found')
),

chosen AS (
    SELECT *
    FROM answers
    QUALIFY row_number() OVER (PARTITION BY email_address, is_after ORDER BY looked_up_at DESC) = 1
)

SELECT
    erasure.email_address,
    earlier.looked_up_at AS before_at,
    earlier.status AS before_status,
    earlier.references_count AS before_count,
    earlier.request_id AS before_request_id,
    later.looked_up_at AS after_at,
    later.status AS after_status,
    later.references_count AS after_count,
    later.request_id AS after_request_id,
    CASE
        WHEN later.status IS NULL THEN 'not looked up since'
        WHEN later.status = 'found' THEN 'Gong still holds something'
        WHEN earlier.status = 'found' THEN 'erased'
        ELSE 'nothing held, and nothing known from before'
    END AS finding,
    later.held AS what_is_left
FROM erasure
LEFT JOIN chosen AS earlier ON earlier.email_address = erasure.email_address AND NOT earlier.is_after
LEFT JOIN chosen AS later ON later.email_address = erasure.email_address AND later.is_after;

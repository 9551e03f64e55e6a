-- Has the erasure gone through? The last answer before it beside the latest answer after it.
-- Change the address and the time at which the erasure was asked for (UTC).
-- What is left, if anything is, person.sql shows row by row.
WITH erasure (email_address, asked_at) AS (
    VALUES ('john.smith@example.com', timestamp '2026-01-15 09:00:00')
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
        concat_ws(
            ', ',
            'emails: ' || nullif(lookups.emails_count, 0),
            'calls: ' || nullif(lookups.calls_count, 0),
            'meetings: ' || nullif(lookups.meetings_count, 0),
            'customer_data: ' || nullif(lookups.customer_data_count, 0),
            'customer_engagement: ' || nullif(lookups.customer_engagement_count, 0),
            CASE WHEN lookups.status = 'found' AND jsonb_typeof(lookups.undocumented) = 'object' THEN 'undocumented' END
        ) AS held
    FROM gong_privacy.lookups AS lookups
    INNER JOIN erasure USING (email_address)
    WHERE lookups.status IN ('found', 'not_found')
),

chosen AS (
    SELECT DISTINCT ON (email_address, is_after) *
    FROM answers
    ORDER BY email_address, is_after, looked_up_at DESC
)

SELECT
    erasure.email_address,
    before.looked_up_at AS before_at,
    before.status AS before_status,
    before.references_count AS before_count,
    before.request_id AS before_request_id,
    after.looked_up_at AS after_at,
    after.status AS after_status,
    after.references_count AS after_count,
    after.request_id AS after_request_id,
    CASE
        WHEN after.status IS NULL THEN 'not looked up since'
        WHEN after.status = 'found' THEN 'Gong still holds something'
        WHEN before.status = 'found' THEN 'erased'
        ELSE 'nothing held, and nothing known from before'
    END AS finding,
    after.held AS what_is_left
FROM erasure
LEFT JOIN chosen AS before ON before.email_address = erasure.email_address AND NOT before.is_after
LEFT JOIN chosen AS after ON after.email_address = erasure.email_address AND after.is_after;

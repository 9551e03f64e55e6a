-- Rows of an earlier answer that the latest answer about the same address no longer reports. They stay in the tables
-- until somebody deletes them: the tap and its target only add and update.
WITH latest AS (
    SELECT DISTINCT ON (email_address) email_address, looked_up_at
    FROM gong_privacy.lookups
    WHERE status IN ('found', 'not_found')
    ORDER BY email_address, looked_up_at DESC
),

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
)

SELECT
    rows_of_all.email_address,
    rows_of_all.stream,
    rows_of_all.key,
    rows_of_all.looked_up_at AS last_reported_at,
    latest.looked_up_at AS not_reported_at
FROM rows_of_all
INNER JOIN latest USING (email_address)
WHERE rows_of_all.looked_up_at < latest.looked_up_at
ORDER BY rows_of_all.email_address, rows_of_all.stream, rows_of_all.key;

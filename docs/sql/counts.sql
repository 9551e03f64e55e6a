-- Is everything there? Addresses for which the tables do not hold the rows that the latest answer counts. After a
-- complete load there are none. Data that was deleted since shows here, and a stream that was not loaded.
WITH latest AS (
    SELECT DISTINCT ON (email_address) *
    FROM gong_privacy.lookups
    WHERE status IN ('found', 'not_found')
    ORDER BY email_address, looked_up_at DESC
),

promised AS (
    SELECT latest.email_address, latest.looked_up_at, counts.stream, counts.promised
    FROM latest
    CROSS JOIN LATERAL (
        VALUES
            ('emails', latest.emails_count),
            ('calls', latest.calls_count),
            ('meetings', latest.meetings_count),
            ('customer_data', latest.customer_data_count),
            ('customer_engagement', latest.customer_engagement_count)
    ) AS counts (stream, promised)
),

loaded AS (
    SELECT email_address, looked_up_at, stream, count(*) AS loaded
    FROM (
        SELECT email_address, looked_up_at, 'emails' AS stream FROM gong_privacy.emails
        UNION ALL
        SELECT email_address, looked_up_at, 'calls' FROM gong_privacy.calls
        UNION ALL
        SELECT email_address, looked_up_at, 'meetings' FROM gong_privacy.meetings
        UNION ALL
        SELECT email_address, looked_up_at, 'customer_data' FROM gong_privacy.customer_data
        UNION ALL
        SELECT email_address, looked_up_at, 'customer_engagement' FROM gong_privacy.customer_engagement
    ) AS rows_of_all
    GROUP BY email_address, looked_up_at, stream
)

SELECT email_address, looked_up_at, stream, promised.promised, coalesce(loaded.loaded, 0) AS loaded
FROM promised
LEFT JOIN loaded USING (email_address, looked_up_at, stream)
WHERE promised.promised IS DISTINCT FROM coalesce(loaded.loaded, 0)
ORDER BY email_address, stream;

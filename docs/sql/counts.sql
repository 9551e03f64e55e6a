-- Is everything there? Addresses for which the tables do not hold the rows that the latest answer counts. After a
-- complete load there are none. Data that was deleted since shows here, and a stream that was not loaded: `meaning`
-- tells an address of which no row is left from one that lacks some.
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

loaded AS (
    SELECT email_address, looked_up_at, stream, count(DISTINCT key) AS loaded
    FROM rows_of_all
    GROUP BY email_address, looked_up_at, stream
),

-- The addresses of which any row is there, of whichever look-up.
present AS (
    SELECT DISTINCT email_address
    FROM rows_of_all
)

SELECT
    email_address,
    looked_up_at,
    stream,
    promised.promised,
    coalesce(loaded.loaded, 0) AS loaded,
    CASE
        WHEN promised.promised IS NULL THEN 'not counted'
        WHEN present.email_address IS NULL THEN 'deleted, or nothing loaded'
        WHEN promised.promised < loaded.loaded THEN 'too many rows'
        ELSE 'rows missing'
    END AS meaning
FROM promised
LEFT JOIN loaded USING (email_address, looked_up_at, stream)
LEFT JOIN present USING (email_address)
WHERE promised.promised IS DISTINCT FROM coalesce(loaded.loaded, 0)
ORDER BY email_address, stream;

-- Is everything there? Addresses for which the tables do not hold the rows that the latest answer counts. After a
-- complete load there are none. Data that was deleted since shows here, and a stream that was not loaded: `meaning`
-- tells an address of which no row is left from one that lacks some.
WITH latest AS (
    SELECT *
    FROM gong_privacy.lookups
    WHERE status IN ('found', 'not_found')
    QUALIFY row_number() OVER (PARTITION BY email_address ORDER BY looked_up_at DESC) = 1
),

promised AS (
    SELECT email_address, looked_up_at, 'emails' AS stream, emails_count AS promised FROM latest
    UNION ALL
    SELECT email_address, looked_up_at, 'calls', calls_count FROM latest
    UNION ALL
    SELECT email_address, looked_up_at, 'meetings', meetings_count FROM latest
    UNION ALL
    SELECT email_address, looked_up_at, 'customer_data', customer_data_count FROM latest
    UNION ALL
    SELECT email_address, looked_up_at, 'customer_engagement', customer_engagement_count FROM latest
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
    promised.email_address,
    promised.looked_up_at,
    promised.stream,
    promised.promised,
    coalesce(loaded.loaded, 0) AS loaded,
    CASE
        WHEN promised.promised IS NULL THEN 'not counted'
        WHEN present.email_address IS NULL THEN 'deleted, or nothing loaded'
        WHEN promised.promised < loaded.loaded THEN 'too many rows'
        ELSE 'rows missing'
    END AS meaning
FROM promised
LEFT JOIN loaded
    ON promised.email_address = loaded.email_address
    AND promised.looked_up_at = loaded.looked_up_at
    AND promised.stream = loaded.stream
LEFT JOIN present ON promised.email_address = present.email_address
WHERE promised.promised IS DISTINCT FROM coalesce(loaded.loaded, 0)
ORDER BY promised.email_address, promised.stream;

-- Was everyone on the list asked? One row for each address of the list, in the list's order.
-- Change the addresses, written exactly as in the tap's list, and the time from which a look-up counts (UTC).
WITH list AS (
    SELECT place, email_address
    FROM (
        VALUES
            (1, 'jane.doe@example.com'),
            (2, 'john.smith@example.com'),
            (3, 'unknown@example.com'),
            (4, 'refused@example.com'),
            (5, 'not.yet@example.com')
    ) AS entries (place, email_address)
),

since AS (
    SELECT '2020-01-01 00:00:00'::timestamp_ntz AS moment
),

latest AS (
    SELECT lookups.*
    FROM gong_privacy.lookups AS lookups
    INNER JOIN since ON lookups.looked_up_at >= since.moment
    QUALIFY row_number() OVER (PARTITION BY lookups.email_address ORDER BY lookups.looked_up_at DESC) = 1
),

answered AS (
    SELECT lookups.email_address, max(lookups.looked_up_at) AS answered_at
    FROM gong_privacy.lookups AS lookups
    INNER JOIN since ON lookups.looked_up_at >= since.moment
    WHERE lookups.status IN ('found', 'not_found')
    GROUP BY lookups.email_address
)

SELECT
    list.place,
    list.email_address,
    coalesce(latest.status, 'never asked') AS latest_outcome,
    latest.looked_up_at AS latest_at,
    answered.answered_at,
    latest.http_status,
    strip_null_value(latest.errors) AS errors,
    latest.request_id
FROM list
LEFT JOIN latest ON list.email_address = latest.email_address
LEFT JOIN answered ON list.email_address = answered.email_address
ORDER BY list.place;

-- Was everyone on the list asked? One row for each address of the list, in the list's order.
--
-- Write the addresses exactly as in the tap's list, with white space between them; Snowflake limits a variable to 256
-- bytes. Only look-ups from `since` on count, a time in UTC; an offset would be ignored.
SET addresses = 'jane.doe@example.com john.smith@example.com';
SET since = '2020-01-01 00:00:00';

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
    WHERE looked_up_at >= $since::timestamp_ntz AND email_address IN (SELECT list.email_address FROM list)
),

latest AS (
    SELECT *
    FROM asked
    QUALIFY row_number() OVER (PARTITION BY email_address ORDER BY is_sound DESC, looked_up_at DESC) = 1
),

answered AS (
    SELECT email_address, max(looked_up_at) AS answered_at
    FROM asked
    WHERE status IN ('found', 'not_found') AND is_sound
    GROUP BY email_address
)

SELECT
    row_number() OVER (ORDER BY list.place) AS place,
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
    answered.answered_at,
    latest.api_url,
    latest.attempts,
    latest.http_status,
    strip_null_value(latest.errors) AS errors,
    latest.request_id
FROM list
LEFT JOIN latest ON list.email_address = latest.email_address
LEFT JOIN answered ON list.email_address = answered.email_address
ORDER BY list.place;

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

counted AS (
    SELECT *
    FROM gong_privacy.lookups
    WHERE looked_up_at >= $since::timestamp_ntz
),

latest AS (
    SELECT *
    FROM counted
    QUALIFY row_number() OVER (PARTITION BY email_address ORDER BY looked_up_at DESC) = 1
),

answered AS (
    SELECT email_address, max(looked_up_at) AS answered_at
    FROM counted
    WHERE status IN ('found', 'not_found')
    GROUP BY email_address
)

SELECT
    row_number() OVER (ORDER BY list.place) AS place,
    list.email_address,
    coalesce(latest.status, 'never asked') AS latest_outcome,
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

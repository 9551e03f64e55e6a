-- Deletes a person's data from the warehouse, and keeps the evidence: the rows of lookups stay.
--
-- Name every spelling, with white space between them; Snowflake limits a variable to 256 bytes. Run all statements. If
-- one fails, ROLLBACK leaves everything as it was.
SET addresses = 'jane.doe@example.com Jane.Doe@example.com';

BEGIN TRANSACTION;

-- What is about to be deleted.
WITH list AS (
    SELECT min(entry.index) AS place, rtrim(entry.value::varchar, ',') AS email_address
    FROM TABLE(flatten(input => split(regexp_replace($addresses, '[[:space:]]+', ' '), ' '))) AS entry
    WHERE rtrim(entry.value::varchar, ',') <> ''
    GROUP BY rtrim(entry.value::varchar, ',')
)

SELECT
    (SELECT count(*) FROM gong_privacy.emails
        WHERE email_address IN (SELECT list.email_address FROM list)) AS emails,
    (SELECT count(*) FROM gong_privacy.calls
        WHERE email_address IN (SELECT list.email_address FROM list)) AS calls,
    (SELECT count(*) FROM gong_privacy.meetings
        WHERE email_address IN (SELECT list.email_address FROM list)) AS meetings,
    (SELECT count(*) FROM gong_privacy.customer_data
        WHERE email_address IN (SELECT list.email_address FROM list)) AS customer_data,
    (SELECT count(*) FROM gong_privacy.customer_engagement
        WHERE email_address IN (SELECT list.email_address FROM list)) AS customer_engagement,
    (SELECT count(*) FROM gong_privacy.lookups
        WHERE email_address IN (SELECT list.email_address FROM list)) AS lookups_kept;

DELETE FROM gong_privacy.emails WHERE email_address IN (
    SELECT rtrim(entry.value::varchar, ',')
    FROM TABLE(flatten(input => split(regexp_replace($addresses, '[[:space:]]+', ' '), ' '))) AS entry
    WHERE rtrim(entry.value::varchar, ',') <> ''
);

DELETE FROM gong_privacy.calls WHERE email_address IN (
    SELECT rtrim(entry.value::varchar, ',')
    FROM TABLE(flatten(input => split(regexp_replace($addresses, '[[:space:]]+', ' '), ' '))) AS entry
    WHERE rtrim(entry.value::varchar, ',') <> ''
);

DELETE FROM gong_privacy.meetings WHERE email_address IN (
    SELECT rtrim(entry.value::varchar, ',')
    FROM TABLE(flatten(input => split(regexp_replace($addresses, '[[:space:]]+', ' '), ' '))) AS entry
    WHERE rtrim(entry.value::varchar, ',') <> ''
);

DELETE FROM gong_privacy.customer_data WHERE email_address IN (
    SELECT rtrim(entry.value::varchar, ',')
    FROM TABLE(flatten(input => split(regexp_replace($addresses, '[[:space:]]+', ' '), ' '))) AS entry
    WHERE rtrim(entry.value::varchar, ',') <> ''
);

DELETE FROM gong_privacy.customer_engagement WHERE email_address IN (
    SELECT rtrim(entry.value::varchar, ',')
    FROM TABLE(flatten(input => split(regexp_replace($addresses, '[[:space:]]+', ' '), ' '))) AS entry
    WHERE rtrim(entry.value::varchar, ',') <> ''
);

-- These two columns hold data, not evidence: what Gong returned beside the five sections, and its messages, which can
-- quote the address.
UPDATE gong_privacy.lookups SET undocumented = NULL, errors = NULL WHERE email_address IN (
    SELECT rtrim(entry.value::varchar, ',')
    FROM TABLE(flatten(input => split(regexp_replace($addresses, '[[:space:]]+', ' '), ' '))) AS entry
    WHERE rtrim(entry.value::varchar, ',') <> ''
);

COMMIT;

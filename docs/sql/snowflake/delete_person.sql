-- Deletes a person's data from the warehouse, and keeps the evidence: the rows of lookups stay.
-- Change the address, and run all statements; should one fail, ROLLBACK leaves everything as it was.
SET person = 'jane.doe@example.com';

BEGIN TRANSACTION;

-- What is about to be deleted.
SELECT
    (SELECT count(*) FROM gong_privacy.emails WHERE email_address = $person) AS emails,
    (SELECT count(*) FROM gong_privacy.calls WHERE email_address = $person) AS calls,
    (SELECT count(*) FROM gong_privacy.meetings WHERE email_address = $person) AS meetings,
    (SELECT count(*) FROM gong_privacy.customer_data WHERE email_address = $person) AS customer_data,
    (SELECT count(*) FROM gong_privacy.customer_engagement WHERE email_address = $person) AS customer_engagement,
    (SELECT count(*) FROM gong_privacy.lookups WHERE email_address = $person) AS lookups_kept;

DELETE FROM gong_privacy.emails WHERE email_address = $person;

DELETE FROM gong_privacy.calls WHERE email_address = $person;

DELETE FROM gong_privacy.meetings WHERE email_address = $person;

DELETE FROM gong_privacy.customer_data WHERE email_address = $person;

DELETE FROM gong_privacy.customer_engagement WHERE email_address = $person;

-- What Gong returned beside the five sections stands in lookups, and is data, not evidence; and Gong's messages,
-- which can quote the address, go too.
UPDATE gong_privacy.lookups SET undocumented = NULL, errors = NULL WHERE email_address = $person;

COMMIT;

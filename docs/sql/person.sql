-- What does Gong hold about this person? One row for each reference, as of the latest answered look-up.
-- Change the addresses in the third line from here: one for each spelling that the person uses.
WITH person (email_address) AS (
    VALUES ('jane.doe@example.com'), ('Jane.Doe@example.com')
),

latest AS (
    SELECT DISTINCT ON (email_address) email_address, looked_up_at
    FROM gong_privacy.lookups
    WHERE status IN ('found', 'not_found')
    ORDER BY email_address, looked_up_at DESC
),

held AS (
    SELECT email_address, looked_up_at, 'emails' AS stream, id AS key, sent_time AS happened_at,
        jsonb_build_object('from', "from", 'mailbox', mailbox, 'message_hash', message_hash) AS details, undocumented
    FROM gong_privacy.emails
    UNION ALL
    SELECT email_address, looked_up_at, 'calls', id, NULL,
        jsonb_build_object('status', status, 'external_systems', to_jsonb(external_systems)), undocumented
    FROM gong_privacy.calls
    UNION ALL
    SELECT email_address, looked_up_at, 'meetings', id, NULL, '{}', undocumented
    FROM gong_privacy.meetings
    UNION ALL
    SELECT email_address, looked_up_at, 'customer_data', system, NULL,
        jsonb_build_object('objects', to_jsonb(objects)), undocumented
    FROM gong_privacy.customer_data
    UNION ALL
    SELECT email_address, looked_up_at, 'customer_engagement', event_hash, "timestamp",
        jsonb_build_object(
            'event_type', event_type, 'content_id', content_id, 'content_url', content_url,
            'reporting_system', reporting_system, 'event_name', event_name, 'source_event_id', source_event_id
        ), undocumented
    FROM gong_privacy.customer_engagement
    UNION ALL
    -- What Gong returned beside the five sections, which its documentation does not list.
    SELECT email_address, looked_up_at, 'lookups', 'undocumented', NULL, '{}', undocumented
    FROM gong_privacy.lookups
    WHERE jsonb_typeof(undocumented) = 'object'
)

SELECT held.email_address, held.looked_up_at, held.stream, held.key, held.happened_at, held.details,
    nullif(held.undocumented, 'null') AS undocumented
FROM held
INNER JOIN latest USING (email_address, looked_up_at)
INNER JOIN person USING (email_address)
ORDER BY held.email_address, held.stream, held.happened_at, held.key;

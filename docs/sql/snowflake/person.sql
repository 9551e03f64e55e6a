-- What does Gong hold about this person? One row for each reference, as of the latest answered look-up.
-- Change the addresses in the fifth line from here: one for each spelling that the person uses.
WITH person AS (
    SELECT email_address
    FROM (
        VALUES ('jane.doe@example.com'), ('Jane.Doe@example.com')
    ) AS addresses (email_address)
),

latest AS (
    SELECT email_address, looked_up_at
    FROM gong_privacy.lookups
    WHERE status IN ('found', 'not_found')
    QUALIFY row_number() OVER (PARTITION BY email_address ORDER BY looked_up_at DESC) = 1
),

held AS (
    SELECT email_address, looked_up_at, 'emails' AS stream, id AS key, sent_time AS happened_at,
        object_construct_keep_null('from', "FROM", 'mailbox', mailbox, 'message_hash', message_hash) AS details,
        undocumented
    FROM gong_privacy.emails
    UNION ALL
    SELECT email_address, looked_up_at, 'calls', id, NULL,
        object_construct_keep_null('status', status, 'external_systems', external_systems), undocumented
    FROM gong_privacy.calls
    UNION ALL
    SELECT email_address, looked_up_at, 'meetings', id, NULL, object_construct(), undocumented
    FROM gong_privacy.meetings
    UNION ALL
    SELECT email_address, looked_up_at, 'customer_data', system, NULL,
        object_construct_keep_null('objects', objects), undocumented
    FROM gong_privacy.customer_data
    UNION ALL
    SELECT email_address, looked_up_at, 'customer_engagement', event_hash, timestamp,
        object_construct_keep_null(
            'event_type', event_type, 'content_id', content_id, 'content_url', content_url,
            'reporting_system', reporting_system, 'event_name', event_name, 'source_event_id', source_event_id
        ), undocumented
    FROM gong_privacy.customer_engagement
    UNION ALL
    -- What Gong returned beside the five sections, which its documentation does not list.
    SELECT email_address, looked_up_at, 'lookups', 'undocumented', NULL, object_construct(), undocumented
    FROM gong_privacy.lookups
    WHERE typeof(undocumented) = 'OBJECT'
)

SELECT held.email_address, held.looked_up_at, held.stream, held.key, held.happened_at, held.details,
    strip_null_value(held.undocumented) AS undocumented
FROM held
INNER JOIN latest ON held.email_address = latest.email_address AND held.looked_up_at = latest.looked_up_at
INNER JOIN person ON held.email_address = person.email_address
ORDER BY held.email_address, held.stream, held.happened_at, held.key;

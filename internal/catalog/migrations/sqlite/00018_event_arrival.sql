-- +goose Up
-- Where the arrival of an object is in the event log, for the proof of it.
CREATE INDEX event_arrival ON event (tenant, object) WHERE action IN ('message.stored', 'message.quarantined', 'message.restored');

-- +goose Down
DROP INDEX event_arrival;

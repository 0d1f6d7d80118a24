-- What was said to one message: whoever looks whether machines follow its links.
CREATE INDEX answer_delivery ON answer (delivery);

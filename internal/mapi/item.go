package mapi

// item returns what an item of another class than mail says, as text.
func (m *Message) item() string { return "" }

package mapi

// Identifiers of properties [MS-OXPROPS].
const (
	IDImportance              uint16 = 0x0017
	IDMessageClass            uint16 = 0x001A
	IDSensitivity             uint16 = 0x0036
	IDSubject                 uint16 = 0x0037
	IDClientSubmitTime        uint16 = 0x0039
	IDSubjectPrefix           uint16 = 0x003D
	IDSentRepresentingEntryID uint16 = 0x0041
	IDSentRepresentingName    uint16 = 0x0042
	IDReplyEntries            uint16 = 0x004F
	IDReplyNames              uint16 = 0x0050
	IDSentRepresentingKey     uint16 = 0x003B
	IDStartDate               uint16 = 0x0060
	IDEndDate                 uint16 = 0x0061
	IDSentRepresentingType    uint16 = 0x0064
	IDSentRepresentingAddress uint16 = 0x0065
	IDTransportHeaders        uint16 = 0x007D
	IDRecipientType           uint16 = 0x0C15
	IDSenderEntryID           uint16 = 0x0C19
	IDSenderName              uint16 = 0x0C1A
	IDSenderKey               uint16 = 0x0C1D
	IDSenderType              uint16 = 0x0C1E
	IDSenderAddress           uint16 = 0x0C1F
	IDDisplayBcc              uint16 = 0x0E02
	IDDisplayCc               uint16 = 0x0E03
	IDDisplayTo               uint16 = 0x0E04
	IDDeliveryTime            uint16 = 0x0E06
	IDMessageFlags            uint16 = 0x0E07
	IDNormalizedSubject       uint16 = 0x0E1D
	IDAttachSize              uint16 = 0x0E20
	IDAttachNumber            uint16 = 0x0E21
	IDBody                    uint16 = 0x1000
	IDRTFCompressed           uint16 = 0x1009
	IDHTML                    uint16 = 0x1013
	IDInternetMessageID       uint16 = 0x1035
	IDInternetReferences      uint16 = 0x1039
	IDInReplyTo               uint16 = 0x1042
	IDEntryID                 uint16 = 0x0FFF
	IDDisplayName             uint16 = 0x3001
	IDAddressType             uint16 = 0x3002
	IDEmailAddress            uint16 = 0x3003
	IDCreationTime            uint16 = 0x3007
	IDModificationTime        uint16 = 0x3008
	IDSearchKey               uint16 = 0x300B
	IDAttachData              uint16 = 0x3701
	IDAttachEncoding          uint16 = 0x3702
	IDAttachExtension         uint16 = 0x3703
	IDAttachFilename          uint16 = 0x3704
	IDAttachMethod            uint16 = 0x3705
	IDAttachLongFilename      uint16 = 0x3707
	IDAttachPathname          uint16 = 0x3708
	IDAttachRendering         uint16 = 0x3709
	IDAttachTag               uint16 = 0x370A
	IDRenderingPosition       uint16 = 0x370B
	IDAttachTransportName     uint16 = 0x370C
	IDAttachLongPathname      uint16 = 0x370D
	IDAttachMIMETag           uint16 = 0x370E
	IDAttachContentID         uint16 = 0x3712
	IDAttachContentLocation   uint16 = 0x3713
	IDAttachFlags             uint16 = 0x3714
	IDSMTPAddress             uint16 = 0x39FE
	IDTransmittableName       uint16 = 0x3A20
	IDInternetCodepage        uint16 = 0x3FDE
	IDMessageCodepage         uint16 = 0x3FFD
	IDSenderSMTP              uint16 = 0x5D01
	IDSentRepresentingSMTP    uint16 = 0x5D02
	IDRecipientDisplayName    uint16 = 0x5FF6
	IDAttachHidden            uint16 = 0x7FFE
)

// Methods of attachments (IDAttachMethod) [MS-OXCMSG] §2.2.2.9.
const (
	AttachByValue   = 1
	AttachEmbedded  = 5
	AttachOLE       = 6
	AttachReference = 2 // also 3, 4 and 7
)

// Kinds of recipients (the low four bits of IDRecipientType) [MS-OXOMSG] §2.2.3.1.
const (
	RecipientFrom = 0
	RecipientTo   = 1
	RecipientCc   = 2
	RecipientBcc  = 3
)

// set makes the identifier of a property set of the usual form,
// xxxxxxxx-0000-0000-C000-000000000046.
func set(first uint32) GUID {
	return GUID{byte(first), byte(first >> 8), byte(first >> 16), byte(first >> 24), 8: 0xC0, 15: 0x46}
}

// Property sets [MS-OXPROPS] §1.3.2.

// SetMAPI is the set of the properties below 0x8000.
func SetMAPI() GUID { return set(0x00020328) }

// SetPublicStrings is the set of names that users and categories have.
func SetPublicStrings() GUID { return set(0x00020329) }

// SetCommon is the set of what several classes have.
func SetCommon() GUID { return set(0x00062008) }

// SetAppointment is the set of appointments.
func SetAppointment() GUID { return set(0x00062002) }

// SetTask is the set of tasks.
func SetTask() GUID { return set(0x00062003) }

// SetAddress is the set of contacts.
func SetAddress() GUID { return set(0x00062004) }

// SetLog is the set of journal entries.
func SetLog() GUID { return set(0x0006200A) }

// SetNote is the set of sticky notes.
func SetNote() GUID { return set(0x0006200E) }

// SetInternetHeaders is the set of header fields [MS-OXCMAIL].
func SetInternetHeaders() GUID { return set(0x00020386) }

package milter

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	// maxPacket is the longest packet read, in bytes. Body chunks have at most
	// 65,535 (SMFIP_MDS_1M, which is not asked for, would make it 1 MiB), and a
	// header field what the MTA lets through: Postfix 102,400 bytes
	// (header_size_limit), Sendmail 32,768 unless told otherwise.
	maxPacket = 1 << 20
	// keepPacket is how much of the memory for packets a connection keeps.
	keepPacket = 128 << 10
	// firstPiece is how much memory a packet gets before its bytes are there: a
	// length alone costs nothing.
	firstPiece = 64 << 10
)

// Commands of the MTA (SMFIC_*).
const (
	cmdAbort       = 'A'
	cmdBody        = 'B'
	cmdConnect     = 'C'
	cmdMacro       = 'D'
	cmdEndOfBody   = 'E'
	cmdHelo        = 'H'
	cmdQuitNew     = 'K' // SMFIC_QUIT_NC: the next client comes on this connection
	cmdHeader      = 'L'
	cmdMail        = 'M'
	cmdEndOfHeader = 'N'
	cmdNegotiate   = 'O'
	cmdQuit        = 'Q'
	cmdRcpt        = 'R'
	cmdData        = 'T'
	cmdUnknown     = 'U'
)

// Answers to the MTA (SMFIR_*).
const (
	replyAccept   = 'a'
	replyContinue = 'c'
	replyCode     = 'y'
)

// Flags of negotiation: what is sent (SMFIP_*) and what the filter does
// (SMFIF_*).
const (
	noReplyHeader = 1 << 7
	noUnknown     = 1 << 8
	noData        = 1 << 9
	noReplyConn   = 1 << 12
	noReplyHelo   = 1 << 13
	noReplyMail   = 1 << 14
	noReplyRcpt   = 1 << 15
	noReplyData   = 1 << 16
	noReplyUnkn   = 1 << 17
	noReplyEOH    = 1 << 18
	noReplyBody   = 1 << 19
	leadingSpace  = 1 << 20

	actMacros = 1 << 8 // SMFIF_SETSYMLIST: the answer names the macros wanted
)

// wanted are the flags asked for where the MTA offers them.
const wanted = noUnknown | noData | noReplyHeader | noReplyConn | noReplyHelo | noReplyMail | noReplyRcpt | noReplyData | noReplyUnkn |
	noReplyEOH | noReplyBody | leadingSpace

// Versions of the protocol that are spoken. Version 1 cannot tell where the
// header ends.
const (
	oldestVersion = 2
	newestVersion = 6
)

// Stages of macro lists (SMFIM_*).
const (
	stageConnect = 0
	stageMail    = 2
	stageEOM     = 5
)

var (
	errEmptyPacket = errors.New("packet without a command")
	errTooLong     = errors.New("packet too long")
	errMalformed   = errors.New("malformed packet")
)

// packet is a command with its data, which is valid until the next is read.
type packet struct {
	cmd  byte
	data []byte
}

// readPacket reads one packet: its length, a command and its data. Data longer
// than maxPacket is skipped, and the error is errTooLong with the command in the
// packet. Buf is used for the data if it is large enough. The error is io.EOF
// only before the first byte.
func readPacket(r *bufio.Reader, buf []byte) (packet, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:4]); err != nil {
		return packet{}, err
	}
	n := int64(binary.BigEndian.Uint32(head[:4]))
	if n == 0 {
		return packet{}, errEmptyPacket
	}
	if _, err := io.ReadFull(r, head[4:]); err != nil {
		return packet{}, unexpected(err)
	}
	p := packet{cmd: head[4]}
	if n--; n > maxPacket {
		if _, err := io.CopyN(io.Discard, r, n); err != nil {
			return p, unexpected(err)
		}
		return p, fmt.Errorf("%c of %d bytes, at most %d: %w", p.cmd, n, maxPacket, errTooLong)
	}
	p.data = buf[:0]
	for have := 0; int64(have) < n; have = len(p.data) {
		more := int(min(n-int64(have), max(firstPiece, int64(have))))
		p.data = slices.Grow(p.data, more)[:have+more]
		if _, err := io.ReadFull(r, p.data[have:]); err != nil {
			return p, unexpected(err)
		}
	}
	return p, nil
}

// unexpected makes an end within a packet an error that is not io.EOF.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// answer returns the bytes of one packet to the MTA.
func answer(cmd byte, data []byte) []byte {
	b := make([]byte, 0, 5+len(data))
	b = binary.BigEndian.AppendUint32(b, uint32(1+len(data)))
	return append(append(b, cmd), data...)
}

// offer is what the MTA offers or the filter chooses (SMFIC_OPTNEG).
type offer struct{ version, actions, protocol uint32 }

// parseOffer reads the MTA's offer; what later versions add after it is left.
func parseOffer(data []byte) (offer, error) {
	if len(data) < 12 {
		return offer{}, fmt.Errorf("offer of %d bytes: %w", len(data), errMalformed)
	}
	o := offer{binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])}
	if o.version < oldestVersion {
		return o, fmt.Errorf("the MTA speaks version %d of the milter protocol, which is older than %d", o.version, oldestVersion)
	}
	return o, nil
}

// choose returns what is taken of an offer: never a bit that was not offered.
func (o offer) choose() offer {
	return offer{version: min(o.version, newestVersion), actions: o.actions & actMacros, protocol: o.protocol & wanted}
}

// encode is the data of the answer, with the macros that are wanted if the MTA
// lets itself be told.
func (o offer) encode() []byte {
	b := binary.BigEndian.AppendUint32(nil, o.version)
	b = binary.BigEndian.AppendUint32(b, o.actions)
	b = binary.BigEndian.AppendUint32(b, o.protocol)
	if o.actions&actMacros == 0 {
		return b
	}
	for _, m := range []struct {
		stage uint32
		names string
	}{{stageConnect, "j"}, {stageMail, "i j {auth_authen}"}, {stageEOM, "i"}} {
		b = binary.BigEndian.AppendUint32(b, m.stage)
		b = append(append(b, m.names...), 0)
	}
	return b
}

// firstString returns the NUL-terminated string that data begins with. For
// arguments of MAIL and RCPT it is the address; ESMTP parameters follow.
func firstString(data []byte) ([]byte, bool) {
	s, _, ok := bytes.Cut(data, []byte{0})
	return s, ok
}

// parseHeader splits a header field. Both strings end with NUL; a NUL within the
// value, which C programs cannot send, would be content.
func parseHeader(data []byte) (name, value []byte, err error) {
	name, rest, ok := bytes.Cut(data, []byte{0})
	if !ok || len(name) == 0 || len(rest) == 0 || rest[len(rest)-1] != 0 {
		return nil, nil, fmt.Errorf("header field: %w", errMalformed)
	}
	return name, rest[:len(rest)-1], nil
}

// parseConnect reads who the client of the MTA is: its name as the MTA found it
// and its address, empty if it has none.
func parseConnect(data []byte) (name, address string, err error) {
	n, rest, ok := bytes.Cut(data, []byte{0})
	if !ok || len(rest) == 0 {
		return "", "", fmt.Errorf("connection: %w", errMalformed)
	}
	switch rest[0] {
	case '4', '6': // port, address
		if len(rest) < 3 {
			return "", "", fmt.Errorf("connection: %w", errMalformed)
		}
		a, ok := firstString(rest[3:])
		if !ok {
			return "", "", fmt.Errorf("connection: %w", errMalformed)
		}
		return string(n), string(a), nil
	default: // 'L' is a socket's path and 'U' is unknown: no address
		return string(n), "", nil
	}
}

// eachMacro calls f with every name and value of a macro packet. Names longer
// than one letter come in braces; they are handed over without.
func eachMacro(data []byte, f func(name, value string)) error {
	if len(data) == 0 {
		return fmt.Errorf("macros: %w", errMalformed)
	}
	for rest := data[1:]; len(rest) > 0; {
		name, more, ok := bytes.Cut(rest, []byte{0})
		if !ok {
			return fmt.Errorf("macros: %w", errMalformed)
		}
		value, more, ok := bytes.Cut(more, []byte{0})
		if !ok {
			return fmt.Errorf("macros: %w", errMalformed)
		}
		f(string(bytes.TrimSuffix(bytes.TrimPrefix(name, []byte{'{'}), []byte{'}'})), string(value))
		rest = more
	}
	return nil
}

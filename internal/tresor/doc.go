// Package tresor reads and writes XAIP 1.3, the form in which archived objects are
// handed over by BSI TR-03125 (TR-ESOR, Annex F): a package of data objects,
// metadata, credentials and, for each version, a manifest of what belongs to it. It
// also holds the result codes of the functions of Annex E. It is a leaf: it stores
// nothing, verifies no evidence record and knows no archive.
//
//	model.go   what is in a package      result.go  result codes
//	tree.go    XML within limits         schema.go  the rules of the public schema
//	read.go    XML to package            check.go   what the schema cannot say
//	simple.go  simple types              write.go   package to XML
//
// Objects are bytes: binaryData, binaryMetaData, signatures and evidence records in
// base64. Content that is XML is recognised and marked (Object.XML), not taken over:
// what would be hashed of it is its canonical form, which this package does not make.
package tresor

import "errors"

// Namespaces of a package.
const (
	Namespace = "http://www.bsi.bund.de/tr-esor/xaip"

	dsNamespace   = "http://www.w3.org/2000/09/xmldsig#"
	dssNamespace  = "urn:oasis:names:tc:dss:1.0:core:schema"
	vrNamespace   = "urn:oasis:names:tc:dss-x:1.0:profiles:verificationreport:schema#"
	xmlNamespace  = "http://www.w3.org/XML/1998/namespace"
	xsiNamespace  = "http://www.w3.org/2001/XMLSchema-instance"
	xmlnsPrefix   = "xmlns"
	canonicalForm = "http://www.w3.org/2001/10/xml-exc-c14n#"
)

// XAIPVersion is the version of the form that is read and written.
const XAIPVersion = "1.3.0"

// Limits of a package that is read.
const (
	// MaxSize is the largest package in bytes of XML. It is read into memory.
	MaxSize = 256 << 20
	// MaxVersions bounds the versions in one package.
	MaxVersions = 1000
	// MaxObjects bounds the objects in one package. A version may have fewer: those
	// of a proof bundle.
	MaxObjects = 1000
	// MaxVersionObjects bounds the objects of one version.
	MaxVersionObjects = 90

	maxDepth    = 24       // of elements
	maxElements = 200_000  // in the document
	maxAttrs    = 32       // of one element
	maxText     = 64 << 10 // bytes of one text that is not base64
	maxID       = 200      // bytes of one identifier
)

// ErrFormat is returned (wrapped) for what is no XAIP 1.3. The text says where.
var ErrFormat = errors.New("not a valid XAIP 1.3")

//go:build !linux

package file

func publish(from, to string) error { return link(from, to) }

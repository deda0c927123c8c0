"""The part of the Pub/Sub API's wire format that Lineshaft speaks (contract section 5); generated from the .proto."""

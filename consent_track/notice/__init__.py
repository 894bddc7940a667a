"""The paragraph of a privacy notice, made from the policies in force and the configuration, never from free text.

`facts` says what is true here, `slots` puts it into words, `forms` says which slots a jurisdiction asks for, `render`
writes it down, and `compare` tells whether a published notice still says the same (GDPR Art. 13, DI-02).
"""
